"""Limits for `unsure` and `unknown`, and the rule for the class, each chosen on validation images alone.

Every choice counts one image more than there is, and that one on the wrong side, as conformal risk control does
(Angelopoulos et al., 2022): so what is asked for holds for a new image on average, and too few images give no limit.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from stages.lib.core.errors import UserError


def unsure_below(confidence: np.ndarray, right: np.ndarray, accuracy: float) -> tuple[float | None, str | None]:
    """The lowest confidence from which on answers are right as often as is asked for.

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
    reached = (errors + 1 <= (1 - accuracy) * (answered + 1) + 1e-9) & is_last
    if not reached.any():
        return None, f"the surest answers on the validation images are not right often enough for {accuracy:g}"
    last = int(np.flatnonzero(reached)[-1])
    return (0.0 if last == count - 1 else float(sorted_confidence[last])), None


def unknown_above(distances: np.ndarray, keep: float) -> tuple[float | None, str | None]:
    """The distance that a share of images like these stays within.

    Args:
        distances: float64 (images,) of validation images.
        keep: the share.

    Returns:
        The limit; or None and why.
    """
    count = len(distances)
    place = math.ceil((count + 1) * keep - 1e-9)
    if place > count:
        needed = math.ceil(keep / (1 - keep) - 1e-9)
        return None, f"keeping {keep:g} of the images needs {needed:,} validation images, found {count:,}"
    return float(np.sort(distances)[place - 1]), None


def threshold_for_recall(probabilities: np.ndarray, own: np.ndarray, recall: float) -> tuple[float | None, str | None]:
    """The highest probability from which on a class has to be predicted for enough of its images to be found.

    Args:
        probabilities: float64 (images,) of the class.
        own: bool (images,), whether an image is of it.
        recall: share of its images that has to be found.

    Returns:
        The threshold; or None and why.
    """
    limit, reason = unknown_above(-probabilities[own], recall)
    if limit is None:
        return None, str(reason).replace("keeping", "finding").replace("validation images", "of them in validation")
    return -limit, None


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
    values = np.unique(probabilities)
    f1 = [_f1(probabilities >= value, own) for value in values]
    best = int(np.argmax(f1))
    below = values[best - 1] if best else 0.0
    return float((values[best] + below) / 2), None


def _f1(predicted: np.ndarray, own: np.ndarray) -> float:
    return float(2 * (predicted & own).sum() / (predicted.sum() + own.sum()))


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
        some = ", ".join(map(repr, classes[:10])) + (", ..." if len(classes) > 10 else "")
        raise UserError(f"{key}: expected one of the classes {some}. Received: {name!r}")
    return list(classes).index(name)
