"""Whether two models differ on the same images, by how much, and how many images it would take to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal

import numpy as np
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from stages.lib.comparison.balanced_comparisons import (
    Disagreements,
    balanced_difference,
    balanced_images_needed,
    balanced_test,
    disagreements,
)
from stages.lib.comparison.paired_accuracies import SIGNIFICANT, images_needed, paired_difference
from stages.lib.evaluation.intervals import LEVEL, Interval
from stages.lib.evaluation.metrics import is_imbalanced

Measure = Literal["accuracy", "balanced_accuracy"]
Verdict = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True)
class Comparison:
    """Model `one` beside model `other` on the same images.

    Attributes:
        only_one: images that `one` gets right and `other` does not.
        only_other: images that `other` gets right and `one` does not.
        difference: `measure` of `one` less that of `other`, with its interval.
        p_value: that both have the same, corrected for the number of comparisons made together.
        needed: images that would show a true difference of this size four times in five, with as many comparisons;
            None where both have the same.
        measure: what is compared.
        by_class: of balanced accuracies, where the two disagree.
    """

    one: str
    other: str
    images: int
    only_one: int
    only_other: int
    difference: Interval
    p_value: float
    needed: int | None
    measure: Measure = "accuracy"
    by_class: Disagreements | None = field(default=None, compare=False)

    @property
    def verdict(self) -> Verdict:
        """What these images show of `one`: "better" or "worse" than `other`, or "no difference shown"."""
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
    """The measure that counts on these images: accuracy, or balanced accuracy where they are imbalanced.

    Args:
        labels: (images,), numbers or names of classes.
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
    """Compare two models by the measure that counts on these images, uncorrected.

    Accuracies by the exact McNemar test (McNemar 1947), balanced accuracies as `balanced_comparisons` says.

    Args:
        one: name of the one model.
        other: name of the other one.
        right: bool (images,), whether the one model is right.
        other_right: bool (images,), whether the other one is, in the same order of images.
        labels: (images,), the classes; None compares accuracies.
        measure: another than the one that counts on images of these classes.
    """
    only_one, only_other = int((right & ~other_right).sum()), int((~right & other_right).sum())
    counts = one, other, len(right), only_one, only_other
    if labels is not None and (measure or measure_of(labels)) == "balanced_accuracy":
        found = disagreements(right, other_right, labels)
        return Comparison(
            *counts,
            balanced_difference(found),
            balanced_test(found),
            balanced_images_needed(found),
            "balanced_accuracy",
            found,
        )
    return Comparison(
        *counts,
        paired_difference(right, other_right),
        float(mcnemar([[0, only_one], [only_other, 0]], exact=True).pvalue),
        images_needed(only_one, only_other, len(right)),
    )


def compare_all(rights: Mapping[str, np.ndarray], labels: np.ndarray | None = None) -> list[Comparison]:
    """Compare every pair of models; p-values corrected together.

    Args:
        rights: per model bool (images,), in the same order of images.
        labels: as `compare` takes them.
    """
    pairs = combinations(rights, 2)
    return corrected([compare(one, other, rights[one], rights[other], labels) for one, other in pairs])


def corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with their p-values corrected for having been made together (Holm 1979).

    So are the images needed: for the strictest step, since nobody knows at which a pair will be.
    """
    if not comparisons:
        return []
    p_values = multipletests([comparison.p_value for comparison in comparisons], method="holm")[1]
    return [
        replace(comparison, p_value=float(p), needed=_needed(comparison, len(comparisons)))
        for comparison, p in zip(comparisons, p_values, strict=True)
    ]


def lower_bound(right: np.ndarray, other_right: np.ndarray, labels: np.ndarray) -> float:
    """How much better a model is at least: the lower one-sided 95 % bound of the difference that `compare` finds.

    The lower end of a two-sided interval at 90 %. A model that is worse by just a margin has a bound above it in at
    most one case of twenty (`python -m benchmarks.gate_drift`).

    Args:
        right: bool (images,), whether the one model is right.
        other_right: bool (images,), whether the other one is, in the same order of images.
        labels: (images,), the classes, which decide what is compared.

    Returns:
        In [-1, 1]; below 0 where the model may be worse.
    """
    level = 2 * LEVEL - 1
    if measure_of(labels) == "balanced_accuracy":
        return balanced_difference(disagreements(right, other_right, labels), level).low
    return paired_difference(right, other_right, level).low


def _needed(comparison: Comparison, comparisons: int) -> int | None:
    """Images that would show the difference among so many comparisons."""
    if comparison.by_class:
        return balanced_images_needed(comparison.by_class, comparisons)
    return images_needed(comparison.only_one, comparison.only_other, comparison.images, comparisons)
