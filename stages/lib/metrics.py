"""The figures of a model on pictures it has not seen, with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, brier_score_loss, precision_recall_fscore_support, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

LEVEL = 0.95
RESAMPLES = 1000
IMBALANCE = 3  # times the pictures of the smallest class
_SMALLEST = 1e-7  # probability, as Keras clips it
_SEED = 0


@dataclass(frozen=True)
class Interval:
    """A figure and the interval that holds the true one at the level `LEVEL`."""

    value: float
    low: float
    high: float


def accuracy(right: np.ndarray) -> Interval:
    """Share of right predictions with Wilson's score interval (Wilson 1927, Brown, Cai & DasGupta 2001).

    Args:
        right: bool (pictures,).
    """
    low, high = proportion_confint(int(right.sum()), len(right), alpha=1 - LEVEL, method="wilson")
    return Interval(float(right.mean()), float(low), float(high))


def balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> Interval:
    """Mean over the classes of the share that is right, every class counting the same.

    The interval combines those of Wilson of each class (Zou, Huang & Zhang 2009, "A note on confidence interval
    estimation for a linear function of binomial proportions"): unlike a bootstrap it knows that a class of three
    pictures, all right, says little.

    Args:
        labels, predicted: int64 (pictures,).
    """
    classes = np.unique(labels)
    shares = [accuracy(predicted[labels == label] == label) for label in classes]
    value = float(np.mean([share.value for share in shares]))
    down = np.sqrt(sum((share.value - share.low) ** 2 for share in shares)) / len(shares)
    up = np.sqrt(sum((share.high - share.value) ** 2 for share in shares)) / len(shares)
    return Interval(value, max(0.0, float(value - down)), min(1.0, float(value + up)))


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean cross-entropy, in nats, of probabilities clipped as Keras does.

    Args:
        labels: int64 (pictures,). probabilities: float64 (pictures, classes).
    """
    right = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(right.clip(_SMALLEST, 1 - _SMALLEST)).mean())


def brier_score(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean squared error of the probabilities (Brier 1950).

    Of two classes that of one class, in [0, 1]; of more the sum over the classes, in [0, 2].
    """
    if probabilities.shape[1] == 2:
        return float(brier_score_loss(labels == 1, probabilities[:, 1]))
    # Sums of float32 outputs miss 1 by more than scikit-learn puts up with.
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    return float(brier_score_loss(labels, shares, labels=range(shares.shape[1])))


def roc_auc(labels: np.ndarray, probabilities: np.ndarray) -> Interval:
    """Area under the ROC curve; of more than two classes the mean over the classes, each against the rest.

    The interval is a percentile bootstrap's (Efron & Tibshirani 1993, chapter 13). Pictures are drawn class by class,
    so that no class is ever missing; seeded. A perfect ranking stays perfect in every draw: its interval has no width.
    """
    return _bootstrapped(labels, probabilities, roc_auc_score, _roc_auc)


def average_precision(labels: np.ndarray, probabilities: np.ndarray) -> Interval:
    """Area under the steps of the precision-recall curve; of more than two classes the mean, each against the rest.

    Of two classes, that of the second. The interval is a bootstrap's, as that of `roc_auc`.
    """
    return _bootstrapped(labels, probabilities, average_precision_score, _average_precision)


class _Ranking:
    """Pictures by their score of a class, the highest first: sorted once, however often some of them are drawn."""

    def __init__(self, own: np.ndarray, scores: np.ndarray) -> None:
        """Sort; own: bool (pictures,), whether each is of the class."""
        self.order = np.argsort(-scores, kind="stable")
        self.own = own[self.order]
        self.ends = np.flatnonzero(np.diff(scores[self.order], append=np.nan))

    def above(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pictures of the class, and others, that score at least so much, by how often each counts: int64 (scores,)."""
        counted = times[self.order]
        own, every = np.cumsum(counted * self.own)[self.ends], np.cumsum(counted)[self.ends]
        return own, every - own


def _bootstrapped(
    labels: np.ndarray,
    probabilities: np.ndarray,
    statistic: Callable[[np.ndarray, np.ndarray], float],
    of_ranking: Callable[[np.ndarray, np.ndarray], float],
) -> Interval:
    """A statistic of truth bool and score, both (pictures,) or (pictures, classes), with its bootstrap interval.

    Args:
        of_ranking: the same of one class, from `_Ranking.above`.
    """
    classes = [1] if probabilities.shape[1] == 2 else list(range(probabilities.shape[1]))
    truth = np.stack([labels == name for name in classes], axis=1)
    value = float(statistic(truth.squeeze(), probabilities[:, classes].squeeze()))
    strata = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    if any(len(stratum) < 2 for stratum in strata):
        # There is nothing to learn from a single picture about how it varies.
        return Interval(value, float("nan"), float("nan"))
    rankings = [_Ranking(labels == name, probabilities[:, name]) for name in classes]
    rng, times = np.random.default_rng(_SEED), np.empty(len(labels), np.int64)
    values = []
    for _ in range(RESAMPLES):
        for stratum in strata:
            times[stratum] = np.bincount(rng.integers(0, len(stratum), len(stratum)), minlength=len(stratum))
        values.append(np.mean([of_ranking(*ranking.above(times)) for ranking in rankings]))
    low, high = np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return Interval(value, float(low), float(high))


def _roc_auc(own: np.ndarray, others: np.ndarray) -> float:
    return float(np.trapezoid(np.r_[0, own], np.r_[0, others]) / (own[-1] * others[-1]))


def _average_precision(own: np.ndarray, others: np.ndarray) -> float:
    # Where nothing was drawn so far, nothing is added.
    precision = own / np.maximum(own + others, 1)
    return float((np.diff(own, prepend=0) * precision).sum() / own[-1])


def per_class(labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """A row per class: class, pictures, precision, recall, f1; a class that is never predicted has precision 0.

    Args:
        labels, predicted: int64 (pictures,), indexes into `classes`.
    """
    places = list(range(len(classes)))
    precision, recall, f1, pictures = precision_recall_fscore_support(labels, predicted, labels=places, zero_division=0)
    columns = {"class": list(classes), "pictures": pictures, "precision": precision, "recall": recall, "f1": f1}
    return pd.DataFrame(columns).round(6)


def is_imbalanced(labels: np.ndarray) -> bool:
    """Whether accuracy misleads: the largest class has at least three times the pictures of the smallest.

    Args:
        labels: (pictures,), numbers or names of classes.
    """
    _, counts = np.unique(labels, return_counts=True)
    return bool(counts.max() >= IMBALANCE * counts.min())
