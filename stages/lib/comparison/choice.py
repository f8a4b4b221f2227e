"""Which model to use: the cheapest of those that the validation images do not tell from the best of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from stages.lib.comparison.comparisons import Comparison, Measure, compare
from stages.lib.evaluation.metrics import accuracy, balanced_accuracy

# How likely equal models differ by more than one standard error.
ONE_ERROR = float(2 * norm.sf(1))


@dataclass(frozen=True)
class Choice:
    """The model to use, and why.

    Attributes:
        chosen: the cheapest model within one standard error of the best.
        best: the model with the highest figure on the validation images.
        figures: per model, accuracy or balanced accuracy on the validation images.
        beside: the best one beside the chosen one on the validation images; None where they are the same.
    """

    chosen: str
    best: str
    figures: Mapping[str, float]
    images: int
    beside: Comparison | None


def choose(
    rights: Mapping[str, np.ndarray], labels: np.ndarray, measure: Measure, losses: Mapping[str, float]
) -> Choice:
    """Choose by the rule of one standard error (Breiman, Friedman, Olshen & Stone 1984, section 3.4.3).

    Whether a model is within one standard error of the best is decided by the paired test of all comparisons: p above
    0.317. With many images that is a difference smaller than its standard error; with few it is exact.

    Args:
        rights: per model, the cheapest first, bool (images,): whether it is right on each validation image.
        labels: (images,), the classes.
        measure: that counts.
        losses: per model on the validation images: of equal models the one with the lowest is the best.
    """
    figures = {name: _figure(right, labels, measure) for name, right in rights.items()}
    best = min(rights, key=lambda name: (-round(figures[name], 12), losses[name]))
    for name, right in rights.items():
        beside = compare(best, name, rights[best], right, labels, measure)
        if name == best or beside.p_value > ONE_ERROR:
            return Choice(name, best, figures, len(labels), None if name == best else beside)
    raise AssertionError("the best model is among the models")


def _figure(right: np.ndarray, labels: np.ndarray, measure: Measure) -> float:
    if measure == "accuracy":
        return accuracy(right).value
    # A wrong prediction is of no class: all that counts is that it is wrong.
    _, indices = np.unique(labels, return_inverse=True)
    return balanced_accuracy(indices, np.where(right, indices, -1)).value
