"""What a bundle says of a saved model, as far as the model itself tells."""

from pathlib import Path
from typing import Any

import keras

from smallset.inference.bundle import Description
from stages.lib.networks import saved_model


def of_model(model: keras.Model, classes: list[str], file: Path, about: dict[str, Any]) -> Description:
    """Describe a model that has no converted form yet.

    Args:
        model: as `saved_model.load` gives it.
        classes: likewise.
        file: the `model.keras` that it is from.
        about: the `summary.json` beside it.

    Returns:
        Without the checksums of the data and of a converted model, and without a reason why there is none.
    """
    size, color = saved_model.input_of(model)
    resizing = saved_model.resizing_of(file)
    return Description(
        classes=tuple(classes),
        image_size=size,
        color=color,
        resize=resizing.mode,
        interpolation=resizing.interpolation,
        model=about["stage"],
        precision=about.get("precision", model.dtype_policy.name),
        data="",
        model_sha256=None,
        reason=None,
    )
