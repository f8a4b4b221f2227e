"""Limits for `unsure` and `unknown`, and the rule for the class, each chosen on validation images alone.

Every choice counts one image more than there is, and that one on the wrong side, as conformal risk control does
(Angelopoulos et al., 2022), and too few images give no limit. Images of a group are counted one by one: of 30 groups of
ten that are nearly alike, an accuracy of 0.95 came out as 0.94, a share of 0.99 to keep as 0.98 (simulated); the report
says that they count so. A limit lies a little beside the image that it is drawn
at, so that the same image on another machine is on the same side of it.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from safety.words import first_few
from smallset.inference.bundle import DISTANCE_TOLERANCE, TOLERANCE
from stages.lib.core.errors import UserError

LEAST_KEPT = 0.95  # a limit that keeps less of the images would call too many of them unknown


def unsure_below(confidence: np.ndarray, right: np.ndarray, accuracy: float) -> tuple[float | None, str | None]:
    """The lowest confidence from which on answers are right as often as is asked for.

    It is the best one of many that are tried, which flatters it: half a standard error of the wrong ones is counted on
    top. From about a hundred images on the accuracy of new answers is then what was asked for, of fewer it may be some
    points less (`tests/stages/deciding/test_limits.py` tries it).

    Args:
        confidence: float64 (images,), probability of the predicted class.
        right: bool (images,).
        accuracy: that answered images have to reach.

    Returns:
        The limit, 0 where every image may be answered; or None and why.
    """
    count = len(right)
    if count < (needed := math.ceil(1 / (1 - accuracy) - 1e-9) - 1):
        return None, f"an accuracy of {accuracy:g} can be shown from {needed:,} validation images on, found {count:,}"
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence, errors = confidence[order], np.cumsum(~right[order])
    answered = np.arange(1, count + 1)
    # Images of one confidence are answered together.
    is_last = np.append(sorted_confidence[1:] < sorted_confidence[:-1], True)
    feared = errors + 1 + np.sqrt(errors) / 2
    reached = (feared <= (1 - accuracy) * (answered + 1) + 1e-9) & is_last
    if not reached.any():
        return None, f"the surest answers on the validation images are not right often enough for {accuracy:g}"
    last = int(np.flatnonzero(reached)[-1])
    return (0.0 if last == count - 1 else _beside(sorted_confidence[last], sorted_confidence[last + 1])), None


def _beside(value: float, below: float) -> float:
    """A little below a probability, and above the next one, `below`: another machine may compute a little less."""
    return float(value - min((value - below) / 2, TOLERANCE))


def unknown_above(distances: np.ndarray, keep: float) -> tuple[float | None, str | None]:
    """The distance that a share of images like these stays within.

    Too few images for that share give the largest of their distances, which keeps less; the fewer, the less.

    Args:
        distances: float64 (images,) of validation images.
        keep: the share.

    Returns:
        The limit, and what it keeps where that is less than was asked for; or None and why.
    """
    count, short = len(distances), None
    place, needed = _place(count, keep)
    if place is None:
        if count < _place(0, min(keep, LEAST_KEPT))[1]:
            return None, f"keeping {keep:g} of the images needs {needed:,} validation images, found {count:,}"
        place = count - 1
        short = (
            f"{count:,} validation images show that {count / (count + 1):.3f} of the images are kept, {keep:g} needs"
        )
        short += f" {needed:,}"
    limit = float(np.sort(distances)[place])
    if not math.isfinite(limit):
        return None, "features of validation images are no numbers"
    return limit + DISTANCE_TOLERANCE * max(1, limit), short


def _place(count: int, share: float) -> tuple[int | None, int]:
    """Which of so many sorted values a share of new ones stays within, from 0; and how many it takes."""
    place = math.ceil((count + 1) * share - 1e-9)
    return (place - 1 if place <= count else None), math.ceil(share / (1 - share) - 1e-9)


def threshold_for_recall(probabilities: np.ndarray, own: np.ndarray, recall: float) -> tuple[float | None, str | None]:
    """The highest probability from which on a class has to be predicted for enough of its images to be found.

    Args:
        probabilities: float64 (images,) of the class.
        own: bool (images,), whether an image is of it.
        recall: share of its images that has to be found.

    Returns:
        The threshold; or None and why.
    """
    count = int(own.sum())
    place, needed = _place(count, recall)
    if place is None:
        return (
            None,
            f"finding {recall:g} of the images of a class needs {needed:,} of them in validation, found {count:,}",
        )
    limit = float(np.sort(probabilities[own])[::-1][place])
    return _beside(limit, max(probabilities[probabilities < limit], default=0.0)), None


def threshold_for_f1(probabilities: np.ndarray, own: np.ndarray) -> tuple[float | None, str | None]:
    """The probability from which on predicting a class gives it the best F1.

    Args:
        probabilities: float64 (images,) of the class.
        own: bool (images,), whether an image is of it.

    Returns:
        The threshold, halfway to the next probability below; or None and why.
    """
    if not own.any() or own.all():
        return None, "F1 of a class needs validation images of it and of others"
    order = np.argsort(-probabilities, kind="stable")
    found, values = np.cumsum(own[order]), probabilities[order]
    f1 = 2 * found / (np.arange(1, len(own) + 1) + own.sum())
    is_last = np.append(values[1:] < values[:-1], True)
    best = int(np.argmax(np.where(is_last, f1, -1)))
    below = values[best + 1] if best + 1 < len(values) else 0.0
    return float((values[best] + below) / 2), None


def costs_of(asked: Mapping[str, Mapping[str, float]], classes: Sequence[str]) -> tuple[tuple[float, ...], ...]:
    """The cost of every prediction: float (actual, predicted); 0 where it is right, 1 where nothing else is asked for.

    Raises:
        UserError: an unknown class.
    """
    for name in [*asked, *(predicted for row in asked.values() for predicted in row)]:
        index_of(name, classes, "decisions.costs")
    return tuple(
        tuple(float(asked.get(actual, {}).get(predicted, actual != predicted)) for predicted in classes)
        for actual in classes
    )


def index_of(name: str, classes: Sequence[str], key: str) -> int:
    """Place of a class.

    Raises:
        UserError: there is no such class.
    """
    if name not in classes:
        some = first_few(list(map(repr, classes)), 10)
        raise UserError(f"{key}: expected one of the classes {some}. Received: {name!r}")
    return list(classes).index(name)
