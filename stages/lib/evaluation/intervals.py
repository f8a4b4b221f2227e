"""Intervals of shares and of means of shares, chosen by how often they hold the true figure (`benchmarks.coverage`)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from scipy.stats import binomtest, norm, t
from statsmodels.stats.proportion import proportion_confint

LEVEL = 0.95
_HALVINGS = 40
# How strongly the usual curve of a ranking's variance counts beside what these images show of it, in images that
# carry variance; and what those are worth as degrees of freedom. By coverage.
_PRIOR, _FREEDOM = 3, 8


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that holds the true one at the level `LEVEL`."""

    value: float
    low: float
    high: float


@lru_cache(maxsize=4096)
def share(right: int, count: int) -> Interval:
    """A share with Wilson's score interval, corrected for continuity (Newcombe 1998, method 4).

    It holds the true share at least 19 times in 20, whatever that is and for any count; Wilson's own interval holds
    shares near 1 only 17 times in 20.

    Args:
        right: 0 to `count`.
        count: at least 1.
    """
    found = binomtest(right, count).proportion_ci(LEVEL, "wilsoncc")
    return within(right / count, float(found.low), float(found.high))


def wilson(right: float, count: float, level: float = LEVEL) -> Interval:
    """A share with Wilson's score interval (Wilson 1927), as other methods combine it; counts need not be whole."""
    low, high = proportion_confint(right, count, alpha=1 - level, method="wilson")
    return within(right / count, float(low), float(high))


def different(groups: np.ndarray) -> float:
    """How many independent images so many are worth, were those of one group all alike (Kish 1965).

    Args:
        groups: (images,), equal within a group.
    """
    counts = np.unique(groups, return_counts=True)[1].astype(np.float64)
    return float(counts.sum() ** 2 / (counts**2).sum())


def within(value: float, low: float, high: float) -> Interval:
    """An interval that lies in [0, 1] and holds its value: rounding may leave a hair on the wrong side."""
    return Interval(value, max(0.0, min(low, value)), min(1.0, max(high, value)))


def mean_share(right: np.ndarray, counts: np.ndarray) -> Interval:
    """Mean of the shares of several classes, every class counting the same.

    A score interval (Martin Andres, Alvarez Hernandez & Herranz Tejedor 2011, "Inferences about a linear combination of
    proportions", Statistical Methods in Medical Research 20): a mean lies in it where the distance from the mean that
    was found is at most z standard errors, those of the likeliest shares that have this mean. With one class it is
    `share`. Classes of few images borrow one image of the mean of all, and the variance makes up for that.

    Args:
        right: int (classes,), images of each class that the model gets right.
        counts: int (classes,), images of each class, at least 1.
    """
    low, high = _lowest_mean(right, counts), 1 - _lowest_mean(counts - right, counts)
    return within(float((right / counts).mean()), low, high)


def _lowest_mean(right: np.ndarray, counts: np.ndarray) -> float:
    shares, borrowed = right / counts, counts + 1
    value, classes = float(shares.mean()), len(counts)
    # The mean of the shares stays what it is.
    shrunk = (right + np.average(shares, weights=1 / borrowed)) / borrowed
    # Borrowing brings the shares together, so that p (1 - p) comes out too small by this.
    weights = 1 / (1 - counts / borrowed**2) / counts / classes**2
    step, z = 1 / (2 * classes * counts.max()), norm.ppf(0.5 + LEVEL / 2)

    def likeliest(place: float) -> np.ndarray:
        """Shares with a lower mean, by Lagrange's multiplier; 0: those that were found, 1: none right."""
        pull = borrowed.sum() * place / (1 - place)
        both = pull + borrowed
        root = np.sqrt(np.maximum(both**2 - 4 * pull * borrowed * shrunk, 0))
        return np.clip(2 * borrowed * shrunk / (both + root), 0, 1)

    def holds(place: float) -> bool:
        found = likeliest(place)
        return value - float(found.mean()) - step <= z * sqrt((weights * found * (1 - found)).sum())

    return float(likeliest(_last(holds, 0, 1)).mean())


def scaled_score(value: float, variance: float, carriers: float, curve: Callable[[float], float]) -> Interval:
    """A score interval of a figure in [0, 1] whose variance is known where it was found, and by shape elsewhere.

    A true figure x lies in it where (value - x)^2 <= q^2 r curve(x). The scale r is what was found of the variance
    beside the curve at `value`; where few images carry that, it is drawn to 1, so a perfect ranking, which shows no
    variance, has the interval of the curve. q is a quantile of Student's distribution.

    Args:
        value: the figure that was found, in [0, 1].
        variance: of `value`, from the images.
        carriers: images that carry it, 0 if none.
        curve: the variance at a true figure, in [0, 1], if it had the usual form.
    """
    usual = curve(value)
    found = variance / usual if usual > 0 else 1.0
    scale = max(found, (carriers * found + _PRIOR) / (carriers + _PRIOR))
    scale *= float(t.ppf(0.5 + LEVEL / 2, carriers + _FREEDOM)) ** 2

    def holds(true: float) -> bool:
        return (value - true) ** 2 <= scale * curve(true)

    return within(value, _last(holds, value, 0), _last(holds, value, 1))


def _last(holds: Callable[[float], bool], start: float, end: float) -> float:
    """Where between `start`, at which it holds, and `end` something stops to hold, by halving."""
    for _ in range(_HALVINGS):
        middle = (start + end) / 2
        if middle in (start, end):
            break
        start, end = (middle, end) if holds(middle) else (start, middle)
    return start
