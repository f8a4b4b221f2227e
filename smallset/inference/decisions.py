"""What is said of an image beside probabilities: its class by the rule that was asked for, and whether that is known.

The stage `decisions` chooses the limits on validation images; here they are read and applied, in numpy alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

Decision = Literal["sure", "unsure", "unknown"]
ALWAYS = 2.0  # no probability reaches it
Criterion = Literal["accuracy", "f1", "recall", "cost"]


@dataclass(frozen=True)
class Decisions:
    """How probabilities, and the distance to the training images, become a decision.

    Attributes:
        criterion: what the rule for the class goes by: accuracy, f1, recall or cost.
        of_class: index of the class that f1 or recall is of, which is predicted wherever its probability reaches
            `threshold`; None: the likeliest class, or the cheapest with `costs`.
        threshold: in [0, 1].
        costs: cost of predicting a class (column) where another one is right (row); None: every error counts the same.
        temperature: by which the logits were divided, inside the model already; 1: not at all.
        unsure_below: probability of the predicted class below which it is `unsure`; `ALWAYS`: whatever it is, since no
            answer was shown to be right as often as was asked for; None: never.
        unknown_above: distance to the training images above which an image is `unknown`; None: never.
        reasons: what was asked for and could not be found, or shown only in part, in plain sentences.
    """

    criterion: Criterion = "accuracy"
    of_class: int | None = None
    threshold: float | None = None
    costs: tuple[tuple[float, ...], ...] | None = None
    temperature: float = 1.0
    unsure_below: float | None = None
    unknown_above: float | None = None
    reasons: tuple[str, ...] = ()

    def predicted(self, probabilities: np.ndarray) -> np.ndarray:
        """The class of each image by the rule; of two that are equally good the first.

        Args:
            probabilities: float64 (images, classes).

        Returns:
            int64 (images,), indices of classes.
        """
        if self.costs is not None:
            cheapest: np.ndarray = (probabilities @ np.array(self.costs)).argmin(axis=1)
            return cheapest
        if self.of_class is None or self.threshold is None:
            likeliest: np.ndarray = probabilities.argmax(axis=1)
            return likeliest
        others = probabilities.copy()
        others[:, self.of_class] = -1
        return np.where(probabilities[:, self.of_class] >= self.threshold, self.of_class, others.argmax(axis=1))

    def decided(self, probabilities: np.ndarray, distances: np.ndarray | None = None) -> list[Decision]:
        """Whether the class of each image is known: `unknown` goes before `unsure`.

        Args:
            probabilities: float64 (images, classes).
            distances: float64 (images,), as the model gives them; None: of a model that gives none.
        """
        count = len(probabilities)
        confidence = probabilities[np.arange(count), self.predicted(probabilities)]
        # What is no number is neither likely enough nor near enough.
        unsure = ~(confidence >= (0.0 if self.unsure_below is None else self.unsure_below))
        foreign = np.zeros(count, bool)
        if distances is not None and self.unknown_above is not None:
            foreign = ~(distances <= self.unknown_above)
        return [
            "unknown" if far else "unsure" if doubtful else "sure"
            for far, doubtful in zip(foreign, unsure, strict=True)
        ]

    def as_dict(self) -> dict[str, Any]:
        """What `read` reads."""
        return asdict(self)


def read(content: object, classes: int) -> Decisions:
    """Decisions out of a file.

    Args:
        content: what the file has there.
        classes: their number.

    Raises:
        ValueError: it is not what `Decisions.as_dict` gives; says which key.
    """
    if not isinstance(content, Mapping):
        raise ValueError("expected an object")
    place, threshold, costs, reasons = (content.get(key) for key in ("of_class", "threshold", "costs", "reasons"))
    right = {
        # A rule that is not known here would be another rule.
        "criterion": content.get("criterion") in get_args(Criterion),
        "of_class": place is None or (type(place) is int and 0 <= place < classes),
        "threshold": threshold is None if place is None else is_number(threshold, most=1.0),
        "costs": costs is None if content.get("criterion") != "cost" else _are_costs(costs, classes),
        "temperature": is_number(content.get("temperature"), least=1e-3),
        "unsure_below": content.get("unsure_below") is None or is_number(content["unsure_below"], most=ALWAYS),
        "unknown_above": content.get("unknown_above") is None or is_number(content["unknown_above"]),
        "reasons": isinstance(reasons, list) and all(isinstance(one, str) for one in reasons),
    }
    for key, is_right in right.items():
        if not is_right:
            raise ValueError(f"decisions.{key}: {str(content.get(key))[:200]!r}")
    known: dict[str, Any] = {key: content[key] for key in right if key in content}
    known["reasons"] = tuple(known["reasons"])
    known["costs"] = None if costs is None else tuple(tuple(map(float, row)) for row in known["costs"])
    return Decisions(**known)


def is_number(value: object, least: float = 0.0, most: float = 1e30) -> bool:
    """Whether something out of a file is a number in these bounds, which no NaN is."""
    return type(value) in (int, float) and least <= value <= most  # type: ignore[operator]


def _are_costs(value: object, classes: int) -> bool:
    rows = value if isinstance(value, list) else []
    return len(rows) == classes and all(
        isinstance(row, list) and len(row) == classes and all(map(is_number, row)) for row in rows
    )
