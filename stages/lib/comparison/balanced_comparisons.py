"""Two models beside each other by balanced accuracy: the paired difference, its interval, its test, what would tell."""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from scipy.stats import norm

from stages.lib.comparison.paired_accuracies import POWER, SIGNIFICANT
from stages.lib.evaluation.intervals import LEVEL, Interval

# Images of all classes together that each class borrows, since its own few say little of how often two models differ.
_SHARED = 2.0
# Images that are added to each of the two kinds of disagreement: to have seen none does not mean that there are none.
_ADDED = 1.0


@dataclass(frozen=True)
class Disagreements:
    """Class by class, each int64 (classes,): images, and those that just the one, or just the other, gets right."""

    images: np.ndarray
    only_one: np.ndarray
    only_other: np.ndarray

    @property
    def gaps(self) -> np.ndarray:
        """float64 (classes,), in [-1, 1]: share of each class that the one gets right, less that of the other."""
        return (self.only_one - self.only_other) / self.images

    @property
    def difference(self) -> float:
        """Balanced accuracy of the one less that of the other, in [-1, 1]."""
        value = float(self.gaps.mean())
        # Thirds and sixths that cancel out leave 1e-17.
        return 0.0 if abs(value) < 1e-12 else value

    def swapped(self) -> "Disagreements":
        """The same, seen from the other model."""
        return Disagreements(self.images, self.only_other, self.only_one)


def disagreements(right: np.ndarray, other_right: np.ndarray, labels: np.ndarray) -> Disagreements:
    """Count where two models disagree, class by class; a class without images does not count.

    Args:
        right: bool (images,), whether the one model is right.
        other_right: bool (images,), whether the other one is, in the same order of images.
        labels: (images,), numbers or names.
    """
    names, indices = np.unique(labels, return_inverse=True)
    chosen = (np.ones(len(indices), bool), right & ~other_right, ~right & other_right)
    return Disagreements(*(np.bincount(indices[rows], minlength=len(names)) for rows in chosen))


def balanced_difference(found: Disagreements, level: float = LEVEL) -> Interval:
    """Difference of two balanced accuracies with its interval, with 0 just where `balanced_test` is above 1 - level.

    An adjusted Wald interval for a linear function of shares (Price & Bonett 2004, "An improved confidence interval for
    a linear function of binomial proportions"; of paired shares Bonett & Price 2012), with the shares of each class
    drawn towards those of all images (empirical Bayes). Newcombe's intervals of each class, combined, were too narrow
    or too wide where classes are small. `python -m benchmarks.verdicts` has coverage, level and power.
    """
    value, classes = found.difference, len(found.images)
    one, other = _shares(found)
    # The square of a gap seen on few images is mostly chance.
    gaps = found.images / (found.images + _SHARED) * (one - other) ** 2
    error = sqrt(((one + other - gaps) / found.images).sum()) / classes
    width = norm.ppf((1 + level) / 2)
    half = width * error
    if abs(value) <= width * _error_if_equal(found):
        # The test shows nothing: no difference is one of those that these images allow.
        half = max(half, abs(value))
    return Interval(value, float(max(-1.0, value - half)), float(min(1.0, value + half)))


def balanced_test(found: Disagreements) -> float:
    """The p-value, two-sided, that two models have the same balanced accuracy.

    McNemar's test (1947) with a variance of each class: by the normal distribution, with the shares of
    `balanced_difference`. An exact test of flipped signs is of another question: with no disagreement among nine
    images of a small class it is sure that there is none.
    """
    return float(2 * norm.sf(abs(found.difference) / _error_if_equal(found)))


def balanced_images_needed(found: Disagreements, comparisons: int = 1) -> int | None:
    """Images, of the same mix of classes, on which the test shows a difference of this size with a power of .8.

    Connor (1987), as `paired_accuracies.images_needed`, with the variances of the classes added up.

    Args:
        found: where the two disagree.
        comparisons: made together; the level is divided among them, as at the first step of Holm's method.

    Returns:
        None if the two have the same balanced accuracy: no number of images shows what is not there.
    """
    difference, classes = found.difference, len(found.images)
    if difference == 0:
        return None
    mix = found.images / found.images.sum()
    # As the test sees them: where it shows nothing on these images, more than these are needed.
    one, other = _shares(found)
    shares = one + other
    equal, true = (sqrt((variance / mix).sum()) / classes for variance in (shares, shares - (one - other) ** 2))
    return ceil((norm.ppf(1 - SIGNIFICANT / comparisons / 2) * equal + norm.ppf(POWER) * true) ** 2 / difference**2)


def _shares(found: Disagreements) -> list[np.ndarray]:
    """Share of the images of each class that just the one, and just the other, gets right: never 0."""
    added = _ADDED / len(found.images)
    return [
        (count + _SHARED * count.sum() / found.images.sum() + added) / (found.images + _SHARED + 2 * added)
        for count in (found.only_one, found.only_other)
    ]


def _error_if_equal(found: Disagreements) -> float:
    """Standard error of the difference, were the balanced accuracies equal."""
    one, other = _shares(found)
    return sqrt(((one + other) / found.images).sum()) / len(found.images)
