"""How good the scores and the confidences of a model are: ROC and reliability."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

from stages.lib.evaluation.columns import CALIBRATION, ROC
from stages.lib.evaluation.intervals import LEVEL
from stages.lib.evaluation.metrics import accuracy

BINS = 10
_SIMULATIONS = 500  # sets of labels of a model that means what it says
_SEED = 0
_CURVE_POINTS = 201


def roc(labels: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """The ROC curve: false_positive_rate, true_positive_rate; of many classes the mean over those tested.

    Args:
        labels: int64 (images,).
        probabilities: float64 (images, classes).

    Returns:
        At most 202 rows, false_positive_rate rising from 0 to 1; none where all images are of one class.
    """
    tested = np.unique(labels)
    if len(tested) < 2:
        return pd.DataFrame(columns=list(ROC), dtype=np.float64)
    classes = [1] if probabilities.shape[1] == 2 else tested
    grid = np.linspace(0, 1, _CURVE_POINTS)
    curves = []
    for label in classes:
        false, true, _ = roc_curve(labels == label, probabilities[:, label])
        # Where the curve rises straight up, `interp` gives its upper end there and comes from its lower one.
        curves.append(np.interp(grid, false, true))
    table = pd.DataFrame(dict(zip(ROC, (grid, np.mean(curves, axis=0)), strict=True)))
    start = pd.DataFrame([(0.0, 0.0)], columns=list(ROC))
    return pd.concat([start, table], ignore_index=True).drop_duplicates(ignore_index=True).round(6)


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """How often predictions of a confidence are right (Guo et al. 2017, "On calibration of modern neural networks").

    Args:
        labels: int64 (images,).
        probabilities: float64 (images, classes).

    Returns:
        A row per tenth of confidence that holds images: confidence, the mean probability of the predicted class;
        accuracy, low, high: the share that is right and its interval; images.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = _bins(confidence)
    rows = []
    for place in np.unique(bins):
        inside = bins == place
        share = accuracy(right[inside])
        rows.append((confidence[inside].mean(), share.value, share.low, share.high, int(inside.sum())))
    return pd.DataFrame(rows, columns=list(CALIBRATION)).round(6)


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error: mean distance of accuracy from confidence over all images (Naeini et al. 2015).

    Args:
        table: as `reliability` returns it.
    """
    gaps = (table["accuracy"] - table["confidence"]).abs()
    return float((gaps * table["images"]).sum() / table["images"].sum())


def calibration_floor(probabilities: np.ndarray) -> tuple[float, float]:
    """Calibration error that a model with these confidences has by chance, if it means exactly what it says.

    Whether each image is right is drawn with its confidence (Brocker & Smith 2007, "Increasing the reliability of
    reliability diagrams": consistency resampling); seeded.

    Args:
        probabilities: float (images, classes).

    Returns:
        Mean, and the limit that 95 % of the draws stay below: up to it an error is not told from none.
    """
    confidence = probabilities.max(axis=1)
    bins = _bins(confidence)
    said = np.bincount(bins, confidence, minlength=BINS)
    rng = np.random.default_rng(_SEED)
    errors = [
        np.abs(np.bincount(bins[rng.random(len(bins)) < confidence], minlength=BINS) - said).sum() / len(bins)
        for _ in range(_SIMULATIONS)
    ]
    return float(np.mean(errors)), float(np.quantile(errors, LEVEL))


def _bins(confidence: np.ndarray) -> np.ndarray:
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
