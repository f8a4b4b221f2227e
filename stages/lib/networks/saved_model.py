"""Whole models on disk: a `.keras` file that knows its classes and is the same, byte for byte, for the same model."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from stages.lib.core.errors import UserError
from stages.lib.core.outputs import whole_file
from stages.lib.core.params import Color, Precision
from stages.lib.images.resizing import STRETCH, Resizing, remembered
from stages.lib.networks.precision import policy

_METADATA, _CONFIG = "metadata.json", "config.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(model: keras.Model, file: Path, classes: Sequence[str], resizing: Resizing = STRETCH) -> None:
    """Save a whole model with the names of its classes, in the order of its outputs, and how pictures get its size."""
    with whole_file(file) as partial:
        written = partial.with_name(f"{partial.name}.keras")
        try:
            model.save(written)
            about = {"classes": list(classes), "precision": _precision_within(model), **resizing.as_dict()}
            _normalise(written, partial, about)
        finally:
            written.unlink(missing_ok=True)


def load(file: Path, compile: bool = False) -> tuple[keras.Model, list[str]]:
    """Load a model that `save` wrote, and the names of its classes.

    Raises:
        UserError: no such file, or it names no classes.
    """
    if not file.is_file():
        raise UserError(f"{file}: no saved model there")
    # Imported for what it registers: a saved model may hold a KerasHub backbone.
    import keras_hub  # noqa: F401

    with zipfile.ZipFile(file) as archive:
        metadata = json.loads(archive.read(_METADATA))
    if not metadata.get("classes"):
        raise UserError(f"{file}: names no classes; expected a model that a stage of this pipeline saved")
    with policy(metadata.get("precision", "float32")):
        return keras.saving.load_model(file, compile=compile), metadata["classes"]


def resizing_of(file: Path) -> Resizing:
    """How pictures were resized for a model that `save` wrote; one that says nothing is older and means `STRETCH`."""
    with zipfile.ZipFile(file) as archive:
        return remembered(json.loads(archive.read(_METADATA)))


def input_of(model: keras.Model) -> tuple[int, Color]:
    """Height and width in pixels, and colour, of the pictures that a model takes."""
    _, height, _, channels = model.input_shape
    return height, "grey" if channels == 1 else "rgb"


def _precision_within(model: keras.Model) -> Precision:
    """Precision of a backbone inside the model: its layers are built in the policy of the moment, also on loading."""
    return next((layer.dtype_policy.name for layer in model.layers if isinstance(layer, keras.Model)), "float32")


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
