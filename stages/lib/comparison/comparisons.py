"""Whether two models differ on the same pictures, by how much, and how many pictures it would take to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import ceil, log2, sqrt
from typing import Literal

import numpy as np
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from stages.lib.comparison.balanced_comparisons import (
    Disagreements,
    balanced_difference,
    balanced_pictures_needed,
    balanced_test,
    disagreements,
)
from stages.lib.evaluation.intervals import LEVEL, Interval, wilson
from stages.lib.evaluation.metrics import is_imbalanced

SIGNIFICANT = 1 - LEVEL
POWER = 0.8

Measure = Literal["accuracy", "balanced_accuracy"]
Verdict = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True)
class Comparison:
    """Model `one` beside model `other` on the same pictures.

    only_one, only_other: pictures that just the one, or just the other, gets right. difference: `measure` of `one` less
    that of `other`, with its interval. p_value: that both have the same, corrected for the number of comparisons made
    together. needed: pictures that would show a true difference of this size four times in five, with as many
    comparisons; None where both have the same. measure: what is compared. by_class: of balanced accuracies, where the
    two disagree.
    """

    one: str
    other: str
    pictures: int
    only_one: int
    only_other: int
    difference: Interval
    p_value: float
    needed: int | None
    measure: Measure = "accuracy"
    by_class: Disagreements | None = field(default=None, compare=False)

    @property
    def verdict(self) -> Verdict:
        """What these pictures show of `one`: "better" or "worse" than `other`, or "no difference shown"."""
        if self.p_value >= SIGNIFICANT:
            return "no difference shown"
        return "better" if self.difference.value > 0 else "worse"

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
            by_class=self.by_class.swapped() if self.by_class else None,
        )


def measure_of(labels: np.ndarray) -> Measure:
    """The measure that counts on these pictures: accuracy, or balanced accuracy where they are imbalanced.

    Args:
        labels: (pictures,), numbers or names of classes.
    """
    return "balanced_accuracy" if is_imbalanced(labels) else "accuracy"


def compare(
    one: str,
    other: str,
    right: np.ndarray,
    other_right: np.ndarray,
    labels: np.ndarray | None = None,
    measure: Measure | None = None,
) -> Comparison:
    """Compare two models by the measure that counts on these pictures, uncorrected.

    Accuracies by the exact McNemar test (McNemar 1947), balanced accuracies as `balanced_comparisons` says.

    Args:
        right: bool (pictures,), whether the one model is right.
        other_right: bool (pictures,), whether the other is, in the same order.
        labels: (pictures,), the classes; None compares accuracies.
        measure: another than the one that counts on pictures of these classes.
    """
    only_one, only_other = int((right & ~other_right).sum()), int((~right & other_right).sum())
    counts = one, other, len(right), only_one, only_other
    if labels is not None and (measure or measure_of(labels)) == "balanced_accuracy":
        found = disagreements(right, other_right, labels)
        return Comparison(
            *counts,
            balanced_difference(found),
            balanced_test(found),
            balanced_pictures_needed(found),
            "balanced_accuracy",
            found,
        )
    return Comparison(
        *counts,
        paired_difference(right, other_right),
        float(mcnemar([[0, only_one], [only_other, 0]], exact=True).pvalue),
        pictures_needed(only_one, only_other, len(right)),
    )


def compare_all(rights: Mapping[str, np.ndarray], labels: np.ndarray | None = None) -> list[Comparison]:
    """Compare every pair of models; p-values corrected together.

    Args:
        rights: per model bool (pictures,), in the same order of pictures. labels: as `compare` takes them.
    """
    pairs = combinations(rights, 2)
    return corrected([compare(one, other, rights[one], rights[other], labels) for one, other in pairs])


def corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with their p-values corrected for having been made together (Holm 1979).

    So are the pictures needed: for the strictest step, since nobody knows at which a pair will be.
    """
    if not comparisons:
        return []
    p_values = multipletests([comparison.p_value for comparison in comparisons], method="holm")[1]
    return [
        replace(comparison, p_value=float(p), needed=_needed(comparison, len(comparisons)))
        for comparison, p in zip(comparisons, p_values, strict=True)
    ]


def paired_difference(right: np.ndarray, other_right: np.ndarray, level: float = LEVEL) -> Interval:
    """Difference of two accuracies on the same pictures, with Newcombe's interval from Wilson's two (1998, method 10).

    Recommended by Fagerland, Lydersen & Laake (2014), "Recommended tests and confidence intervals for paired
    binomial proportions", Statistics in Medicine 33.
    """
    one, other = (wilson(int(each.sum()), len(each), level) for each in (right, other_right))
    both, neither = int((right & other_right).sum()), int((~right & ~other_right).sum())
    only_one, only_other = int((right & ~other_right).sum()), int((~right & other_right).sum())
    phi = _correlation(both, only_one, only_other, neither)
    value = (only_one - only_other) / len(right)
    down = _combined(one.value - one.low, other.high - other.value, phi)
    up = _combined(one.high - one.value, other.value - other.low, phi)
    return Interval(value, value - down, value + up)


def lower_bound(right: np.ndarray, other_right: np.ndarray, labels: np.ndarray) -> float:
    """How much better a model is at least: the lower one-sided 95 % bound of the difference that `compare` finds.

    The lower end of a two-sided interval at 90 %. A model that is worse by just a margin has a bound above it in at
    most one case of twenty (`python -m benchmarks.gate_drift`).

    Args:
        right: bool (pictures,), whether the one model is right.
        other_right: bool (pictures,), whether the other is, in the same order.
        labels: (pictures,), the classes, which decide what is compared.

    Returns:
        In [-1, 1]; below 0 where the model may be worse.
    """
    level = 2 * LEVEL - 1
    if measure_of(labels) == "balanced_accuracy":
        return balanced_difference(disagreements(right, other_right, labels), level).low
    return paired_difference(right, other_right, level).low


def pictures_needed(only_one: int, only_other: int, pictures: int, comparisons: int = 1) -> int | None:
    """Pictures on which McNemar's test shows a difference of this size with a power of .8, at the level .05.

    Connor (1987), "Sample size for testing differences in proportions for the paired-sample design", Biometrics 43; and
    no fewer than let the exact test show anything, which is six that differ at that level.

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
    least = ceil(1 + log2(comparisons / SIGNIFICANT)) / differing
    return ceil(max(least, ((level * sqrt(differing) + power * sqrt(differing - difference**2)) / difference) ** 2))


def _needed(comparison: Comparison, comparisons: int) -> int | None:
    """Pictures that would show the difference among so many comparisons."""
    if comparison.by_class:
        return balanced_pictures_needed(comparison.by_class, comparisons)
    return pictures_needed(comparison.only_one, comparison.only_other, comparison.pictures, comparisons)


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
