"""The golden examples of a bundle, by which any port proves itself: what is said of them, and read back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smallset.errors import UserError
from smallset.inference import bundle
from smallset.inference.decisions import Decision, Decisions


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
    """The class and the decision that the rules of a bundle make of the numbers of one image."""
    values, far = np.array([probabilities]), None if distance is None else np.array([distance])
    rule = about.decisions or Decisions()
    decision = None if about.decisions is None else rule.decided(values, far)[0]
    return about.classes[int(rule.predicted(values)[0])], decision


def read(file: Path, about: bundle.Description) -> list[Example]:
    """Read the examples of a bundle; those of schema 1 have numbers alone, from which the rest is worked out.

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
    return all(type(number) in (int, float) for number in numbers) and Path(one["file"]).name == one["file"]
