"""The directory that a classifier is handed over as: what its `classifier.json` says, written and read here alone."""

import json
import os
import stat
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args

from safety.checksums import checksum
from safety.text import is_utf8
from smallset.errors import UserError
from smallset.images.choices import Color, Interpolation, ResizeMode
from smallset.images.resizing import Resizing
from smallset.inference import decisions as deciding
from smallset.inference.decisions import Decisions

# 1: `model.tflite` gives probabilities alone, and there are no limits. A program that knows only 1 would take the
# distance for a probability.
SCHEMA = 2
DESCRIPTION, MODEL, GOLDEN = "classifier.json", "model.tflite", "golden"
EXAMPLES = "examples.json"  # in GOLDEN
# Of a probability. Another processor, runtime or number of threads adds the same numbers in another order.
TOLERANCE = 1e-4
# Of a distance to the training images, where 1 is the usual one.
DISTANCE_TOLERANCE = 1e-3
PLACE = Path("models/classifier")
_MOST_BYTES = 16 << 20
# What every bundle does to an image, in words for who reads images elsewhere; docs/reading_images.md has the details.
RULES = {
    "pixels": "float32 (images, height, width, channels) in [0, 255]; scaling is inside the model",
    "orientation": "turned upright as EXIF says",
    "transparency": "on white",
    "color_space": "sRGB; an embedded colour profile is converted",
    "frames": "the first, or the one that the file names as its main one",
    "antialias": "wherever an image gets smaller; nearest averages over a box",
    "outputs": "a probability for each class, or of two that of the second; then the distance, if gives_distance",
    "jpeg": "decoded at a part of its size, at least twice the model's, where it is much larger",
}


@dataclass(frozen=True)
class Description:
    """What whoever predicts has to know.

    Attributes:
        classes: names, in the order of the probabilities.
        image_size: height and width in pixels of the model's input.
        color: rgb or grey.
        resize: how an image becomes a square.
        interpolation: the filter that does it.
        model: name of the pipeline's model, such as fine_tuned.
        precision: in which it was trained and measured; `model.tflite` always computes in float32.
        data: SHA-256 of the manifest, the table of all images by checksum, class and subset.
        model_sha256: checksum of `model.tflite`; None where it could not be made.
        reason: why it could not be made; None where it could.
        decisions: when nothing is said of an image; None: always something is.
        gives_distance: whether the last output of `model.tflite` is the distance to the training images.
    """

    classes: tuple[str, ...]
    image_size: int
    color: Color
    resize: ResizeMode
    interpolation: Interpolation
    model: str
    precision: str
    data: str
    model_sha256: str | None
    reason: str | None
    decisions: Decisions | None = None
    gives_distance: bool = False

    @property
    def resizing(self) -> Resizing:
        """How an image gets the size of the model's input."""
        return Resizing(self.resize, self.interpolation)


def write(description: Description, directory: Path) -> None:
    """Write `classifier.json`."""
    content = {"schema": SCHEMA, **asdict(description), "rules": RULES, "tolerance": TOLERANCE}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    (directory / DESCRIPTION).write_text(text, encoding="utf-8")


def find(source: str | Path) -> Path:
    """The directory of a bundle: this one, or that of the project that lies here.

    Raises:
        UserError: there is none.
    """
    if not isinstance(source, str | Path) or not os.fspath(source):
        # Such as of a variable that is not set, which would mean the project here.
        what = "an empty text" if isinstance(source, str) else type(source).__name__
        raise UserError(f"expected a bundle or a project. Received: {what}")
    for directory in (Path(source), Path(source) / PLACE):
        if (directory / DESCRIPTION).is_file():
            return directory
    raise UserError(f"{source}: expected a bundle, a directory with {DESCRIPTION}, or a project with {PLACE}")


def read(directory: Path) -> Description:
    """Read `classifier.json`; of a later version with the same schema, keys that are not known here are left.

    Raises:
        UserError: it is damaged, or of a newer schema.
    """
    file = directory / DESCRIPTION
    content = read_json(file)
    schema = content.get("schema")
    if type(schema) is not int or not 1 <= schema <= SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        raise UserError(f"{file}: expected schema {SCHEMA}, found {schema!r}{': use a newer smallset' * newer}")
    found: dict[str, Any] = {field.name: content.get(field.name) for field in fields(Description)}
    if schema == 1:
        found |= {"decisions": None, "gives_distance": False}
    texts = ("model", "precision", "data")
    classes = found["classes"]
    right = {
        "classes": _are_names(classes),
        "image_size": type(found["image_size"]) is int and 1 <= found["image_size"] <= 1 << 14,
        "color": found["color"] in get_args(Color),
        "gives_distance": isinstance(found["gives_distance"], bool),
        "resize": found["resize"] in get_args(ResizeMode),
        "interpolation": found["interpolation"] in get_args(Interpolation),
        **{name: isinstance(found[name], str) and is_utf8(found[name]) for name in texts},
        **{name: isinstance(found[name], str | None) for name in ("model_sha256", "reason")},
    }
    for name, is_right in right.items():
        if not is_right:
            raise UserError(f"{file}: {name}: not what a bundle has there. Received: {str(found[name])[:200]!r}")
    if found["decisions"] is not None:
        try:
            found["decisions"] = deciding.read(found["decisions"], len(found["classes"]))
        except ValueError as error:
            raise UserError(f"{file}: not what a bundle has there. Received: {error}") from None
        if found["decisions"].unknown_above is not None and not found["gives_distance"]:
            raise UserError(f"{file}: decisions.unknown_above: expected gives_distance: true with it")
    return Description(**(found | {"classes": tuple(found["classes"])}))


def _are_names(classes: object) -> bool:
    """Whether it is a list of several texts that can be written as UTF-8, each another one."""
    texts = isinstance(classes, list) and all(isinstance(one, str) and is_utf8(one) for one in classes)
    return isinstance(classes, list) and texts and 1 < len(classes) == len(set(classes))


def model_of(directory: Path, description: Description) -> Path:
    """The file with the model, which is the one that the description speaks of.

    Raises:
        UserError: it could not be made, is missing or is another one.
    """
    file = directory / MODEL
    if description.model_sha256 is None:
        raise UserError(f"{directory}: has no {MODEL}, only Keras can run it: {description.reason}")
    if not file.is_file():
        raise UserError(f"{file}: missing; fetch the whole directory")
    if checksum(file) != description.model_sha256:
        raise UserError(f"{file}: damaged or of another bundle: its checksum is not the one in {DESCRIPTION}")
    return file


def read_json(file: Path) -> dict[str, Any]:
    """Read an object.

    Raises:
        UserError: it is no file, too large, damaged or no object.
    """
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):  # a pipe or a device may never end
            raise UserError(f"{file}: expected a file, found something else")
        if about.st_size > _MOST_BYTES:
            raise UserError(f"{file}: more than the {_MOST_BYTES >> 20} MB that a bundle may have there")
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file}: damaged, or cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise UserError(f"{file}: expected a JSON object, found {type(found).__name__}")
    return found
