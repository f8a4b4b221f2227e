"""Whole models on disk: a `.keras` file that knows its classes and is the same, byte for byte, for the same model."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import keras
from pydantic import BaseModel, Field, ValidationError

from safety.words import first_line
from smallset.images.choices import Color, Interpolation, ResizeMode
from stages.lib.core.errors import UserError
from stages.lib.core.outputs import atomic_file
from stages.lib.core.params import Precision
from stages.lib.images.resizing import STRETCH, Resizing, remembered
from stages.lib.networks import mirroring, model_files
from stages.lib.networks.precision import policy

_METADATA, _CONFIG = model_files.METADATA, model_files.CONFIG
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(model: keras.Model, file: Path, classes: Sequence[str], resizing: Resizing = STRETCH) -> None:
    """Save a whole model with the names of its classes, in the order of its outputs, and how images get its size.

    Args:
        model: takes images in [0, 255] and gives probabilities.
        file: to write, with the suffix `.keras`; it appears whole or not at all.
        classes: names, in the order of the model's outputs.
        resizing: how the training images got the size of the model.
    """
    with atomic_file(file) as partial:
        written = partial.with_name(f"{partial.name}.keras")
        try:
            model.save(written)
            about = {"classes": list(classes), "precision": _precision_within(model), **resizing.as_dict()}
            _normalise(written, partial, about)
        finally:
            written.unlink(missing_ok=True)


def load(file: Path, compile: bool = False) -> tuple[keras.Model, list[str]]:
    """Load a model that `save` wrote, and the names of its classes; nothing of it is run as code.

    Args:
        file: a `.keras` file.
        compile: whether to restore loss and optimizer too.

    Returns:
        The model and the names of its classes. It takes images float32 (batch, height, width, channels) in [0, 255]
        and gives float32 (batch, classes); of two classes (batch, 1), the probability of the second.

    Raises:
        UserError: no such file, it is damaged or no model of images, or it names no classes (`model_files`).

    Example:
        >>> model, classes = load(Path("models/scratch/model.keras"))
        >>> classes
        ['cat', 'dog']
    """
    about = _about(file)
    # Imported for what it registers: a saved model may hold a KerasHub backbone.
    import keras_hub  # noqa: F401

    try:
        with policy(about.precision):
            model = keras.saving.load_model(file, compile=compile, safe_mode=True)
    except Exception as error:  # Keras lets through whatever its many layers raise for a wrong configuration.
        raise UserError(f"{file}: cannot be loaded as a model: {first_line(error)}") from None
    _check_shapes(file, model, len(about.classes))
    return model, about.classes


def resizing_of(file: Path) -> Resizing:
    """How images were resized for a model that `save` wrote; one that says nothing is older and means `STRETCH`.

    Raises:
        UserError: as `load`.
    """
    return remembered(_about(file).model_dump())


class _About(BaseModel):
    """What `save` writes into the metadata of a model, beside what Keras does."""

    classes: list[Annotated[str, Field(min_length=1)]] = Field(min_length=1)
    precision: Precision = "float32"
    resize: ResizeMode = STRETCH.mode
    interpolation: Interpolation = STRETCH.interpolation


def _about(file: Path) -> _About:
    metadata = model_files.check_model(file)
    if not metadata.get("classes"):
        raise UserError(f"{file}: names no classes; expected a model that a stage of this pipeline saved")
    try:
        return _About.model_validate(metadata)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise UserError(f"{file}: {key}: {first['msg']}, found {str(first['input'])[:200]!r}") from None


def _check_shapes(file: Path, model: Any, classes: int) -> None:
    """Refuse a model that does not take square images, or whose outputs are not those of its classes."""
    taken, given = (getattr(model, name, None) for name in ("input_shape", "output_shape"))
    images = isinstance(taken, tuple) and len(taken) == 4 and taken[1] == taken[2] and taken[3] in (1, 3)
    outputs = {1, 2} if classes == 2 else {classes}
    if not images or not isinstance(given, tuple) or len(given) != 2 or given[1] not in outputs:
        raise UserError(
            f"{file}: expected a model of square images with an output for each of its {classes} classes, found one "
            f"that takes {taken} and gives {given}"
        )


def input_of(model: keras.Model) -> tuple[int, Color]:
    """Height and width in pixels, and colour, of the images that a model takes."""
    _, height, _, channels = model.input_shape
    return height, "grey" if channels == 1 else "rgb"


def _precision_within(model: keras.Model) -> Precision:
    """Precision of a backbone inside the model: its layers are built in the policy of the moment, also on loading."""
    inner = [layer for layer in mirroring.without(model.layers) if isinstance(layer, keras.Model)]
    return inner[0].dtype_policy.name if inner else "float32"


def _normalise(source: Path, target: Path, about: dict[str, Any]) -> None:
    """Copy a `.keras` file without what differs between two savings of one model: dates and addresses in memory."""
    with zipfile.ZipFile(source) as read, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as write:
        for name in sorted(read.namelist()):
            content = read.read(name)
            if name == _METADATA:
                metadata: dict[str, Any] = json.loads(content)
                del metadata["date_saved"]
                content = json.dumps(metadata | about, indent=2).encode()
            elif name == _CONFIG:
                content = json.dumps(_renumber(json.loads(content), {}), indent=2).encode()
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = 0o644 << 16
            write.writestr(member, content)
    target.chmod(0o644)


def _renumber(node: Any, numbers: dict[int, int]) -> Any:
    """Number the objects that a configuration names by their address in the order in which they appear."""
    if isinstance(node, list):
        return [_renumber(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    renumbered = {key: _renumber(value, numbers) for key, value in node.items()}
    if isinstance(address := node.get("shared_object_id"), int):
        renumbered["shared_object_id"] = numbers.setdefault(address, len(numbers))
    return renumbered
