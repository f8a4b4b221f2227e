"""Two accuracies on the same images: their difference with its interval, and how many images would show it."""

from math import ceil, log2, sqrt

import numpy as np
from scipy.stats import norm

from stages.lib.evaluation.intervals import LEVEL, Interval, wilson

SIGNIFICANT = 1 - LEVEL
POWER = 0.8


def paired_difference(right: np.ndarray, other_right: np.ndarray, level: float = LEVEL) -> Interval:
    """Difference of two accuracies on the same images, with Newcombe's interval from Wilson's two (1998, method 10).

    Recommended by Fagerland, Lydersen & Laake (2014), "Recommended tests and confidence intervals for paired
    binomial proportions", Statistics in Medicine 33.

    Args:
        right: bool (images,), whether the one model is right.
        other_right: bool (images,), whether the other one is, in the same order of images.
        level: of the interval.
    """
    one, other = (wilson(int(each.sum()), len(each), level) for each in (right, other_right))
    both, neither = int((right & other_right).sum()), int((~right & ~other_right).sum())
    only_one, only_other = int((right & ~other_right).sum()), int((~right & other_right).sum())
    phi = _correlation(both, only_one, only_other, neither)
    value = (only_one - only_other) / len(right)
    down = _combined(one.value - one.low, other.high - other.value, phi)
    up = _combined(one.high - one.value, other.value - other.low, phi)
    return Interval(value, value - down, value + up)


def images_needed(only_one: int, only_other: int, images: int, comparisons: int = 1) -> int | None:
    """Images on which McNemar's test shows a difference of this size with a power of .8, at the level .05.

    Connor (1987), "Sample size for testing differences in proportions for the paired-sample design", Biometrics 43; and
    no fewer than let the exact test show anything, which is six that differ at that level.

    Args:
        only_one: images that just the one model gets right.
        only_other: images that just the other one gets right.
        images: of which these are counted.
        comparisons: made together; the level is divided among them, as at the first step of Holm's method.

    Returns:
        None if the two are equally often right: no number of images shows what is not there.
    """
    if only_one == only_other:
        return None
    differing = (only_one + only_other) / images
    difference = (only_one - only_other) / images
    level, power = norm.ppf(1 - SIGNIFICANT / comparisons / 2), norm.ppf(POWER)
    least = ceil(1 + log2(comparisons / SIGNIFICANT)) / differing
    return ceil(max(least, ((level * sqrt(differing) + power * sqrt(differing - difference**2)) / difference) ** 2))


def _correlation(both: int, only_one: int, only_other: int, neither: int) -> float:
    """Newcombe's correlation of the two models, with his correction for continuity."""
    margins = (both + only_one) * (only_other + neither) * (both + only_other) * (only_one + neither)
    if margins == 0:
        return 0.0
    product = both * neither - only_one * only_other
    half = (both + only_one + only_other + neither) / 2
    corrected = max(product - half, 0) if product > 0 else product
    return float(corrected / sqrt(margins))


def _combined(one: float, other: float, phi: float) -> float:
    return sqrt(max(0.0, one**2 - 2 * phi * one * other + other**2))
