"""Exported models beside the Keras model on the same images: what changes, how accurate each is, how fast."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np

from stages.lib.comparison.comparisons import compare, lower_bound
from stages.lib.comparison.paired_accuracies import SIGNIFICANT
from stages.lib.evaluation.intervals import Interval, share
from stages.lib.export.runtimes import Run

TURNS = {1: 15, 8: 5}  # of each number of images at once, how often the time is taken


@dataclass(frozen=True)
class Beside:
    """An exported model beside Keras.

    Attributes:
        images: how many.
        changed: of them, those whose top class is another one.
        largest_difference: of a probability; 1 where one is no number.
        accuracy: with its interval.
        difference: of the accuracy to that of Keras, with its interval.
        p_value: of the exact McNemar test that both are equally accurate.
        lower_bound: of the difference, one-sided at 95 %; balanced accuracies where classes are imbalanced.
    """

    images: int
    changed: int
    largest_difference: float
    accuracy: Interval
    difference: Interval
    p_value: float
    lower_bound: float


def outputs_of(runs: Mapping[str, Run], batches: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """What several models give for the same images, which are read once.

    Args:
        runs: of each model its function.
        batches: (images, height, width, channels) in [0, 255].

    Returns:
        Of each model float64 (images, classes).
    """
    found: dict[str, list[np.ndarray]] = {name: [] for name in runs}
    for batch in batches:
        images = batch.astype(np.float32)
        for name, run in runs.items():
            found[name].append(run(images))
    return {name: np.concatenate(parts).astype(np.float64) for name, parts in found.items()}


def beside(found: np.ndarray, reference: np.ndarray, labels: np.ndarray) -> Beside:
    """Compare probabilities with those of Keras.

    Args:
        found: float64 (images, classes).
        reference: the same of Keras.
        labels: int64 (images,), the true classes.
    """
    top, expected = found.argmax(axis=1), reference.argmax(axis=1)
    right, other_right = top == labels, expected == labels
    compared = compare("exported", "keras", right, other_right)
    return Beside(
        images=len(labels),
        # A row that is no number has no top class.
        changed=int(((top != expected) | ~np.isfinite(found).all(axis=1)).sum()),
        largest_difference=float(np.nan_to_num(np.abs(found - reference), nan=1.0).max()),
        accuracy=share(int(right.sum()), len(right)),
        difference=compared.difference,
        p_value=compared.p_value,
        lower_bound=lower_bound(right, other_right, labels),
    )


def milliseconds(runs: Mapping[str, Run], image: np.ndarray) -> dict[str, dict[int, float]]:
    """Time of a batch of each size of `TURNS`: medians; the models take turns, so that all meet what else happens.

    Args:
        runs: of each model its function.
        image: (height, width, channels) in [0, 255].

    Returns:
        Of each model, by the number of images at once, milliseconds of all of them.
    """
    found: dict[str, dict[int, float]] = {name: {} for name in runs}
    for count, turns in TURNS.items():
        images = np.repeat(image[np.newaxis].astype(np.float32), count, axis=0)
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(turns + 1):
            for name, run in runs.items():
                start = time.perf_counter()
                run(images)
                if turn:  # the first makes room for a batch of this size
                    seconds[name].append(time.perf_counter() - start)
        for name, times in seconds.items():
            found[name][count] = 1000 * median(times)
    return found


def not_usable(
    int8: Beside, times: Mapping[int, float], exact: Mapping[int, float], margin: float, faster: float
) -> str | None:
    """Why a model of 8 bits is no substitute for the exact one, in words; None where it is one.

    Args:
        int8: beside Keras.
        times: of `milliseconds`, of the model of 8 bits.
        exact: the same of the exact model in the same runtime.
        margin: it may be less accurate by no more than this, in shares, and these images have to show it.
        faster: how many times as fast as the exact one it has to be, at each number of images at once.
    """
    if int8.p_value < SIGNIFICANT and int8.difference.value < 0:
        return f"less accurate than Keras by {-100 * int8.difference.value:.2f} points (p = {int8.p_value:.2g})"
    if int8.lower_bound <= -margin:
        return (
            f"{int8.images:,} test images do not show that it loses less than {100 * margin:g} points: it may lose "
            f"{-100 * int8.lower_bound:.2f}"
        )
    gains = {count: exact[count] / times[count] for count in times}
    count, least = min(gains.items(), key=lambda gain: gain[1])
    if least < faster:
        return f"{least:.2f} times as fast as float32 at batch {count} here, and {faster:g} times was asked for"
    return None
