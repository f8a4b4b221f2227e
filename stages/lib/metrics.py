"""The figures of a model on pictures it has not seen, and whether two models differ."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score, roc_curve
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

LEVEL = 0.95
_SMALLEST = 1e-7  # probability, as Keras clips it
_CURVE_POINTS = 201


@dataclass(frozen=True)
class Interval:
    """A share and the interval that holds the true one at the level `LEVEL`."""

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


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean cross-entropy, in nats, of probabilities clipped as Keras does.

    Args:
        labels: int64 (pictures,). probabilities: float64 (pictures, classes).
    """
    right = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(right.clip(_SMALLEST, 1 - _SMALLEST)).mean())


def roc_auc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Area under the ROC curve; of more than two classes the mean over the classes, each against the rest."""
    if probabilities.shape[1] == 2:
        return float(roc_auc_score(labels, probabilities[:, 1]))
    return float(roc_auc_score(np.eye(probabilities.shape[1])[labels], probabilities, average="macro"))


def roc(labels: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """The ROC curve: false_positive_rate, true_positive_rate; of many classes the mean over the classes.

    Returns:
        At most 201 rows, false_positive_rate rising from 0 to 1.
    """
    classes = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    grid = np.linspace(0, 1, _CURVE_POINTS)
    curves = []
    for label in classes:
        false, true, _ = roc_curve(labels == label, probabilities[:, label])
        # Of several true positive rates at one false positive rate the highest counts.
        last = np.append(np.diff(false) > 0, True)
        curves.append(np.interp(grid, false[last], true[last]))
    table = pd.DataFrame({"false_positive_rate": grid, "true_positive_rate": np.mean(curves, axis=0)})
    start = pd.DataFrame({"false_positive_rate": [0.0], "true_positive_rate": [0.0]})
    return pd.concat([start, table], ignore_index=True).drop_duplicates(ignore_index=True).round(6)


def paired_tests(right: np.ndarray, others: Sequence[np.ndarray]) -> list[float]:
    """p-values that a model and each of the others are equally often right, on the same pictures.

    The exact McNemar test (McNemar 1947) with Holm's correction for several comparisons (Holm 1979).

    Args:
        right: bool (pictures,) of the one model. others: the same of each other model.
    """
    if not others:
        return []
    p_values = []
    for other in others:
        only_one, only_other = int((right & ~other).sum()), int((~right & other).sum())
        p_values.append(float(mcnemar([[0, only_one], [only_other, 0]], exact=True).pvalue))
    return [float(p) for p in multipletests(p_values, method="holm")[1]]
