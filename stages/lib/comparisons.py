"""Whether two models differ on the same pictures, by how much, and how many pictures it would take to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import ceil, sqrt
from typing import Literal

import numpy as np
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from stages.lib.intervals import LEVEL, Interval, wilson

SIGNIFICANT = 1 - LEVEL
POWER = 0.8

Verdict = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True)
class Comparison:
    """Model `one` beside model `other` on the same pictures.

    only_one, only_other: pictures that just the one, or just the other, gets right. difference: accuracy of `one` less
    that of `other`, with its interval. p_value: that both are equally often right, corrected for the number of
    comparisons made together. needed: pictures that would show a true difference of this size four times in five, with
    as many comparisons; None where both are equally often right.
    """

    one: str
    other: str
    pictures: int
    only_one: int
    only_other: int
    difference: Interval
    p_value: float
    needed: int | None

    @property
    def verdict(self) -> Verdict:
        """What these pictures show of `one`: "better" or "worse" than `other`, or "no difference shown"."""
        if self.p_value >= SIGNIFICANT:
            return "no difference shown"
        return "better" if self.only_one > self.only_other else "worse"

    def swapped(self) -> "Comparison":
        """The same comparison, seen from the other model."""
        value, low, high = self.difference.value, self.difference.low, self.difference.high
        return replace(
            self,
            one=self.other,
            other=self.one,
            only_one=self.only_other,
            only_other=self.only_one,
            difference=Interval(-value, -high, -low),
        )


def compare(one: str, other: str, right: np.ndarray, other_right: np.ndarray) -> Comparison:
    """Compare two models by the exact McNemar test (McNemar 1947), uncorrected.

    Args:
        right, other_right: bool (pictures,), whether each model is right, in the same order.
    """
    only_one, only_other = int((right & ~other_right).sum()), int((~right & other_right).sum())
    return Comparison(
        one,
        other,
        len(right),
        only_one,
        only_other,
        paired_difference(right, other_right),
        float(mcnemar([[0, only_one], [only_other, 0]], exact=True).pvalue),
        pictures_needed(only_one, only_other, len(right)),
    )


def compare_all(rights: Mapping[str, np.ndarray]) -> list[Comparison]:
    """Compare every pair of models; p-values corrected together.

    Args:
        rights: per model bool (pictures,), in the same order of pictures.
    """
    return corrected([compare(one, other, rights[one], rights[other]) for one, other in combinations(rights, 2)])


def corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with their p-values corrected for having been made together (Holm 1979).

    So are the pictures needed: for the strictest step, since nobody knows at which a pair will be.
    """
    if not comparisons:
        return []
    p_values = multipletests([comparison.p_value for comparison in comparisons], method="holm")[1]
    return [
        replace(
            comparison,
            p_value=float(p),
            needed=pictures_needed(comparison.only_one, comparison.only_other, comparison.pictures, len(comparisons)),
        )
        for comparison, p in zip(comparisons, p_values, strict=True)
    ]


def paired_difference(right: np.ndarray, other_right: np.ndarray) -> Interval:
    """Difference of two accuracies on the same pictures, with Newcombe's interval from Wilson's two (1998, method 10).

    Recommended by Fagerland, Lydersen & Laake (2014), "Recommended tests and confidence intervals for paired
    binomial proportions", Statistics in Medicine 33.
    """
    one, other = (wilson(int(each.sum()), len(each)) for each in (right, other_right))
    both, neither = int((right & other_right).sum()), int((~right & ~other_right).sum())
    only_one, only_other = int((right & ~other_right).sum()), int((~right & other_right).sum())
    phi = _correlation(both, only_one, only_other, neither)
    value = (only_one - only_other) / len(right)
    down = _combined(one.value - one.low, other.high - other.value, phi)
    up = _combined(one.high - one.value, other.value - other.low, phi)
    return Interval(value, value - down, value + up)


def pictures_needed(only_one: int, only_other: int, pictures: int, comparisons: int = 1) -> int | None:
    """Pictures on which McNemar's test shows a difference of this size with a power of .8, at the level .05.

    Connor (1987), "Sample size for testing differences in proportions for the paired-sample design", Biometrics 43.

    Args:
        comparisons: made together; the level is divided among them, as at the first step of Holm's method.

    Returns:
        None if the two are equally often right: no number of pictures shows what is not there.
    """
    if only_one == only_other:
        return None
    differing = (only_one + only_other) / pictures
    difference = (only_one - only_other) / pictures
    level, power = norm.ppf(1 - SIGNIFICANT / comparisons / 2), norm.ppf(POWER)
    return ceil((level * sqrt(differing) + power * sqrt(differing - difference**2)) ** 2 / difference**2)


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
