"""What every trained model leaves in its directory."""

import json
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from stages.lib.core.outputs import whole_directory
from stages.lib.core.params import AugmentationParams
from stages.lib.images.resizing import Resizing
from stages.lib.networks import saved_model
from stages.lib.training import devices
from stages.lib.training.augmentation import save_sheet
from stages.lib.training.checkpoints import Checkpoints
from stages.lib.training.journal import best_epoch, live_directory


def write(
    directory: Path,
    model: keras.Model,
    classes: Sequence[str],
    history: pd.DataFrame,
    precision: str,
    checkpoints: Checkpoints,
    augmented: tuple[np.ndarray, AugmentationParams, int] | None = None,
    *,
    resizing: Resizing,
) -> None:
    """Write model.keras, history.csv, summary.json, summary.txt, live/ and, if training pictures vary, augmented.png.

    Args:
        model: takes pictures in [0, 255] and gives probabilities of `classes`.
        history: a row per epoch, as `training.train` returns it.
        augmented: a picture uint8 (height, width, channels), how it varies, and a seed.
        resizing: how the pictures got the size of the model.
    """
    with whole_directory(directory) as partial:
        # Without the optimizer's state, which nobody needs and which is twice as large as the weights.
        bare = keras.Model(model.input, model.output, name=directory.name)
        saved_model.save(bare, partial / "model.keras", classes, resizing)
        history.to_csv(partial / "history.csv", index=False)
        summary = _summary(directory.name, model, classes, history, precision, resizing)
        (partial / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        with (partial / "summary.txt").open("w", encoding="utf-8") as file:
            model.summary(line_length=110, print_fn=lambda line: print(line.rstrip(), file=file), show_trainable=True)
        shutil.copytree(live_directory(checkpoints), partial / "live")
        if augmented is not None:
            save_sheet(*augmented, partial / "augmented.png")
    checkpoints.remove()


def _summary(
    stage: str,
    model: keras.Model,
    classes: Sequence[str],
    history: pd.DataFrame,
    precision: str,
    resizing: Resizing,
) -> dict[str, Any]:
    image_size, color = saved_model.input_of(model)
    best = history[history["epoch"] == best_epoch(history)].iloc[0]
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return {
        "stage": stage,
        "classes": list(classes),
        "image_size": image_size,
        "color": color,
        **resizing.as_dict(),
        "precision": precision,
        "devices": devices.count(),
        "versions": {library: version(library) for library in ("tensorflow", "keras", "keras-hub")},
        "parameters": {
            "total": model.count_params(),
            "trainable": trainable,
            "non_trainable": model.count_params() - trainable,
        },
        "trainable_tensors": len(model.trainable_weights),
        "epochs": len(history),
        "best_epoch": int(best["epoch"]),
        "val_loss": float(best["val_loss"]),
        "val_accuracy": float(best["val_accuracy"]),
    }
