"""Where exported files lie: beside each other, or as an inference server wants its model repository."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from safety.text import visible
from stages.lib.export.asked import FormatName, Layout
from stages.lib.export.formats import FORMATS_BY_NAME, INPUT, OUTPUT

LABELS, CONFIG = "labels.txt", "config.pbtxt"
_VERSION = "1"
_MOST = 64  # images that Triton may join to one batch


def place(folder: Path, layout: Layout, model: str, name: FormatName) -> Path:
    """Where the file of a format goes; its folder is made.

    Args:
        folder: of the export.
        layout: of the files.
        model: under which a server offers it.
        name: of the format.
    """
    file = FORMATS_BY_NAME[name].file
    if layout == "plain":
        return folder / file
    versions = folder / model
    versions.mkdir(exist_ok=True)
    if layout == "tf_serving":
        return versions / _VERSION
    (versions / _VERSION).mkdir(exist_ok=True)
    return versions / _VERSION / file


def complete(folder: Path, layout: Layout, model: str, shape: tuple[int, ...], classes: Sequence[str]) -> None:
    """Write what belongs to the files: the names of the classes, and what Triton has to be told.

    Args:
        folder: of the export.
        layout: of the files.
        model: under which a server offers it.
        shape: height, width and channels of an image.
        classes: names, in the order of the probabilities.
    """
    home = folder if layout == "plain" else folder / model
    (home / LABELS).write_text("".join(f"{visible(name)}\n" for name in classes), encoding="utf-8")
    if layout == "triton":
        (home / CONFIG).write_text(_config(model, shape, len(classes)), encoding="utf-8")


def served_name(model: str) -> str:
    """A name under which a server offers a model: as it is called, of plain letters, digits, _ and - alone."""
    return model if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", model) else "classifier"


def _config(model: str, shape: tuple[int, ...], classes: int) -> str:
    """The model configuration of Triton, in the text form of protocol buffers."""
    return f"""name: {json.dumps(model)}
backend: "onnxruntime"
max_batch_size: {_MOST}
input [
  {{ name: "{INPUT}" data_type: TYPE_FP32 dims: [ {", ".join(map(str, shape))} ] }}
]
output [
  {{ name: "{OUTPUT}" data_type: TYPE_FP32 dims: [ {classes} ] label_filename: "{LABELS}" }}
]
dynamic_batching {{ }}
"""
