"""Golden examples: images and what becomes of them, by which a bundle proves itself wherever it is used."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smallset.errors import UserError
from smallset.images.broken import BrokenImage
from smallset.inference import bundle
from smallset.inference.decisions import Decision, Decisions, is_number


@dataclass(frozen=True)
class Example:
    """One image and what becomes of it.

    Attributes:
        file: its name, in the folder of the examples.
        pixels_sha256: checksum of its pixels as the model takes them.
        probabilities: of every class.
        distance: to the training images; None: the bundle's model gives none.
        predicted: the class that the rules make of these numbers.
        decision: likewise; None: the bundle has no limits.
    """

    file: str
    pixels_sha256: str
    probabilities: list[float]
    distance: float | None
    predicted: str
    decision: Decision | None


def said(probabilities: list[float], distance: float | None, about: bundle.Description) -> tuple[str, Decision | None]:
    """The class and the decision that the rules of a bundle make of the numbers of one image.

    Args:
        probabilities: of every class.
        distance: to the training images; None: the bundle gives none.
        about: the bundle.
    """
    values, far = np.array([probabilities]), None if distance is None else np.array([distance])
    rule = about.decisions or Decisions()
    decision = None if about.decisions is None else rule.decided(values, far)[0]
    return about.classes[int(rule.predicted(values)[0])], decision


def read(file: Path, about: bundle.Description) -> list[Example]:
    """Read the examples of a bundle; those of schema 1 have numbers alone, from which the rest is worked out.

    Args:
        file: `examples.json` of the bundle.
        about: the bundle.

    Raises:
        UserError: they are damaged.
    """
    found = bundle.read_json(file).get("examples")
    if not isinstance(found, list) or not found or not all(_is_example(one, about) for one in found):
        more = " and a distance" * about.gives_distance
        raise UserError(
            f"{file}: expected a list of examples: file, pixels_sha256, and {len(about.classes)} probabilities{more}"
        )
    return [_example(one, about) for one in found]


def largest_difference(
    folder: Path,
    about: bundle.Description,
    read_image: Callable[[Path], np.ndarray],
    judged: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]],
) -> float:
    """Try each example: whether it is read and classified here as where the bundle was made.

    Args:
        folder: with the examples.
        about: the bundle.
        read_image: gives an image as the model takes it, uint8 (size, size, channels).
        judged: probabilities float64 (images, classes) of several, and distances float64 (images,) or None.

    Returns:
        The largest difference of a probability.

    Raises:
        UserError: an example is read to other pixels, a probability or the distance differs by more than rounding
            explains, or the rules make another class or decision of the numbers.
    """
    return max(_difference(folder, one, about, read_image, judged) for one in read(folder / bundle.EXAMPLES, about))


def _difference(
    folder: Path,
    example: Example,
    about: bundle.Description,
    read_image: Callable[[Path], np.ndarray],
    judged: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]],
) -> float:
    file = folder / example.file
    try:
        pixels = read_image(file)
    except BrokenImage as error:
        raise UserError(f"{file}: {error}") from None
    if hashlib.sha256(pixels.tobytes()).hexdigest() != example.pixels_sha256:
        raise UserError(f"{file}: is read to other pixels here than where the bundle was made")
    values, distances = judged(pixels[np.newaxis])
    difference = float(np.abs(values[0] - example.probabilities).max())
    if not difference <= bundle.TOLERANCE:
        raise UserError(f"{file}: expected the probabilities {example.probabilities}, found {values[0].tolist()}")
    if distances is not None and example.distance is not None:
        allowed = bundle.DISTANCE_TOLERANCE * max(1, example.distance)
        if not abs(distances[0] - example.distance) <= allowed:
            raise UserError(f"{file}: expected the distance {example.distance:g}, found {distances[0]:g}")
    # Of the numbers as written: within rounding of a limit those of here may lie on the other side of it.
    found = said(example.probabilities, example.distance, about)
    if found != (example.predicted, example.decision):
        raise UserError(f"{file}: expected {(example.predicted, example.decision)}, found {found}")
    return difference


def _example(one: dict[str, Any], about: bundle.Description) -> Example:
    distance = one["distance"] if about.gives_distance else None
    predicted, decision = said(one["probabilities"], distance, about)
    return Example(
        *(one["file"], one["pixels_sha256"], one["probabilities"], distance),
        *(one.get("predicted", predicted), one.get("decision", decision)),
    )


def _is_example(one: Any, about: bundle.Description) -> bool:
    if not isinstance(one, dict) or not all(isinstance(one.get(key), str) for key in ("file", "pixels_sha256")):
        return False
    values = one.get("probabilities")
    if not isinstance(values, list) or len(values) != len(about.classes):
        return False
    numbers = [*values, one.get("distance")] if about.gives_distance else values
    known = isinstance(one.get("predicted", ""), str) and isinstance(one.get("decision", ""), str | None)
    return known and all(map(is_number, numbers)) and Path(one["file"]).name == one["file"]
