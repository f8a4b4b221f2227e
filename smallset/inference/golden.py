"""Golden examples: images with their pixels and probabilities, by which a bundle proves itself wherever it is used."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from smallset.errors import UserError
from smallset.inference import bundle


def largest_difference(
    folder: Path,
    classes: int,
    read: Callable[[Path], np.ndarray],
    probabilities: Callable[[np.ndarray], np.ndarray],
) -> float:
    """Try each example: whether it is read and classified here as where the bundle was made.

    Args:
        folder: with the examples.
        classes: their number.
        read: gives an image as the model takes it, uint8 (size, size, channels).
        probabilities: float64 (images, classes) of several.

    Returns:
        The largest difference of a probability.

    Raises:
        UserError: an example is read to other pixels, or a probability differs by more than rounding explains.
    """
    largest = 0.0
    for example in _examples(folder / bundle.EXAMPLES, classes):
        file = folder / example["file"]
        pixels = read(file)
        if hashlib.sha256(pixels.tobytes()).hexdigest() != example["pixels_sha256"]:
            raise UserError(f"{file}: is read to other pixels here than where the bundle was made")
        found = probabilities(pixels[np.newaxis])[0]
        difference = float(np.abs(found - example["probabilities"]).max())
        if not difference <= bundle.TOLERANCE:
            raise UserError(f"{file}: expected the probabilities {example['probabilities']}, found {found.tolist()}")
        largest = max(largest, difference)
    return largest


def _examples(file: Path, classes: int) -> list[dict[str, Any]]:
    found = bundle.read_json(file).get("examples")
    if not isinstance(found, list) or not found or not all(_is_example(one, classes) for one in found):
        raise UserError(f"{file}: expected a list of examples: file, pixels_sha256, and {classes} probabilities")
    return found


def _is_example(one: Any, classes: int) -> bool:
    if not isinstance(one, dict) or not all(isinstance(one.get(key), str) for key in ("file", "pixels_sha256")):
        return False
    values = one.get("probabilities")
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        return False
    return len(values) == classes and Path(one["file"]).name == one["file"]
