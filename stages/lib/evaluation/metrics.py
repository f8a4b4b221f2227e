"""The figures of a model on images it has not seen, with intervals."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact
from sklearn.metrics import brier_score_loss, precision_recall_fscore_support

from stages.lib.evaluation.columns import PER_CLASS
from stages.lib.evaluation.intervals import LEVEL, Interval, mean_share, share

IMBALANCE = 3  # times the images of the smallest class
_SMALLEST = 1e-7  # probability, as Keras clips it


def accuracy(right: np.ndarray) -> Interval:
    """Share of right predictions with its interval, as `share` has it.

    Args:
        right: bool (images,).
    """
    return share(int(right.sum()), len(right))


def balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> Interval:
    """Mean over the classes of the share that is right, every class counting the same; its interval: `mean_share`.

    Args:
        labels: int64 (images,), or text.
        predicted: the same of the predictions.
    """
    _, indices, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return mean_share(np.bincount(indices[labels == predicted], minlength=len(counts)), counts)


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean cross-entropy, in nats, of probabilities clipped as Keras does.

    Args:
        labels: int64 (images,).
        probabilities: float64 (images, classes).
    """
    right = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(right.clip(_SMALLEST, 1 - _SMALLEST)).mean())


def brier_score(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean squared error of the probabilities (Brier 1950).

    Of two classes that of one class, in [0, 1]; of more the sum over the classes, in [0, 2].

    Args:
        labels: int64 (images,).
        probabilities: float64 (images, classes).
    """
    if probabilities.shape[1] == 2:
        return float(brier_score_loss(labels == 1, probabilities[:, 1]))
    # Sums of float32 outputs miss 1 by more than scikit-learn puts up with.
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    return float(brier_score_loss(labels, shares, labels=range(shares.shape[1])))


def per_class(labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """A row per class: class, images, precision, recall, recall_low, recall_high, f1.

    A class that is never predicted has precision 0; recall of a class that is not tested is 0, anything up to 1.

    Args:
        labels: int64 (images,), indexes into `classes`.
        predicted: int64 (images,), the same of the predictions.
        classes: their names.
    """
    every = list(range(len(classes)))
    precision, recall, f1, images = precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0)
    found = np.bincount(labels[labels == predicted], minlength=len(classes))
    shares = [
        share(int(right), int(count)) if count else Interval(0.0, 0.0, 1.0)
        for right, count in zip(found, images, strict=True)
    ]
    columns = {
        "class": list(classes),
        "images": images,
        "precision": precision,
        "recall": recall,
        "recall_low": [one.low for one in shares],
        "recall_high": [one.high for one in shares],
        "f1": f1,
    }
    return pd.DataFrame(columns, columns=list(PER_CLASS)).round(6)


def is_imbalanced(labels: np.ndarray) -> bool:
    """Whether accuracy misleads: the largest class has at least three times the images of the smallest.

    Args:
        labels: (images,), numbers or names of classes.
    """
    _, counts = np.unique(labels, return_counts=True)
    return bool(counts.max() >= IMBALANCE * counts.min())


def differs_from_others(label: int, right: np.ndarray, images: np.ndarray) -> bool:
    """Whether the share of a class that is right is shown to differ from that of all other images.

    Fisher's exact test, with p multiplied by the number of classes: of many equal classes one has the lowest share in
    any case.

    Args:
        label: of the class.
        right: int64 (classes,), images of each class that are right.
        images: int64 (classes,), images of each class.
    """
    rest = np.arange(len(images)) != label
    wrong = images - right
    table = [[right[label], wrong[label]], [right[rest].sum(), wrong[rest].sum()]]
    return bool(fisher_exact(table).pvalue * len(images) < 1 - LEVEL)


def weakest(shares: np.ndarray, counts: np.ndarray) -> tuple[int, float, bool]:
    """The class with the lowest share of right images, among those that are shown to have a lower one where any is.

    One of few images may have the lowest share by chance, beside one of many that has a low one for certain.

    Args:
        shares: float64 (classes,), of each class the share that is right.
        counts: int64 or float64 (classes,), images of each class, or as many as they are worth; two classes and more.

    Returns:
        The class; the share of all others that is right; whether that of the class is shown to be lower.
    """
    right, images = np.round(shares * counts).astype(int), np.round(counts).astype(int)
    order = np.argsort(shares, kind="stable").tolist()

    def others(label: int) -> float:
        rest = np.arange(len(shares)) != label
        return float(np.average(shares[rest], weights=counts[rest]))

    for label in order:
        if shares[label] < others(label) and differs_from_others(label, right, images):
            return label, others(label), True
    return order[0], others(order[0]), False
