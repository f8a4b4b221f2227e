"""How images are divided so that each is judged by a head that knows neither it nor what belongs together with it."""

from typing import Protocol

import numpy as np

from stages.lib.arrays.parts import stratified_parts
from stages.lib.arrays.rows import Array, Picked
from stages.lib.heads.linear import LinearHead

FOLDS = 5
_JUDGEMENTS = 200  # of all images together: few images are divided several times, each time otherwise
_MOST_DIVISIONS = 10
_AT_ONCE = 8192  # images that are judged


class Fit(Protocol):
    """What fits a head on training images, as `logistic.fit`."""

    def __call__(  # noqa: D102
        self,
        vectors: Array | Picked,
        labels: np.ndarray,
        groups: np.ndarray,
        classes: int,
        seed: int,
        mirrored: Array | Picked | None = None,
    ) -> LinearHead: ...


def divisions(
    labels: np.ndarray, groups: np.ndarray, seed: int, folds: int = FOLDS, times: int | None = None
) -> np.ndarray:
    """Divide images into folds, grouped and stratified.

    There are no more folds than the class with the most groups has groups: a class with fewer is in some folds only.

    Args:
        labels: int64 (images,), 0 to classes - 1.
        groups: int64 (images,), equal for images that belong together.
        seed: of the divisions.
        folds: of a division, at the most.
        times: divisions; None: one, and of few images more.

    Returns:
        int64 (divisions, images): the fold that holds out each image; no row where no class has two groups.
    """
    pairs = np.unique(np.stack([labels, groups]), axis=1)
    folds = min(folds, int(np.bincount(pairs[0]).max()))
    if folds < 2:
        return np.zeros((0, len(labels)), np.int64)
    if times is None:
        times = int(np.clip(_JUDGEMENTS // len(labels), 1, _MOST_DIVISIONS))
    return np.array([stratified_parts(labels, groups, folds, seed + number) for number in range(times)])


def out_of_fold(
    fit: Fit,
    vectors: Array,
    labels: np.ndarray,
    groups: np.ndarray,
    classes: int,
    seed: int,
    mirrored: Array | None = None,
    *,
    folds: int = FOLDS,
    times: int = 1,
) -> np.ndarray:
    """Probabilities of each image by heads that have not seen it: how good a way to fit a head is.

    Args:
        fit: the whole way, its own choices by cross-validation included, such as `logistic.fit`.
        vectors: float32 (images, channels), in memory or in a file.
        labels: int64 (images,), 0 to classes - 1.
        groups: int64 (images,), equal for images that belong together.
        classes: their number.
        seed: of the divisions, and of each fit.
        mirrored: features of the mirrored images; images are then judged by the mean of both.
        folds: of a division, at the most.
        times: divisions.

    Returns:
        float64 (divisions, images, classes); no division where no class has two groups.
    """
    divided = divisions(labels, groups, seed, folds, times)
    found = np.zeros((*divided.shape, classes))
    for probabilities, division in zip(found, divided, strict=True):
        for fold in range(division.max() + 1):
            own, others = np.flatnonzero(division == fold), np.flatnonzero(division != fold)
            # Read as the head asks for them: all may not fit in memory.
            other = None if mirrored is None else Picked([mirrored], others)
            head = fit(Picked([vectors], others), labels[others], groups[others], classes, seed, other)
            for start in range(0, len(own), _AT_ONCE):
                some = own[start : start + _AT_ONCE]
                asked = vectors[some] if mirrored is None else (vectors[some] + mirrored[some]) / 2
                probabilities[some] = head.probabilities(asked)
    return found


def clearly_lower(one: np.ndarray, other: np.ndarray, errors: float = 1) -> bool:
    """Whether the mean of one is lower than that of the other by more than so many standard errors.

    Args:
        one: float64 (images,), losses; pairs of which one is not a number are left out.
        other: the same of the same images.
        errors: standard errors of the mean difference.
    """
    gains = other - one
    gains = gains[np.isfinite(gains)]
    return len(gains) > 1 and float(gains.mean()) > errors * float(gains.std(ddof=1)) / len(gains) ** 0.5
