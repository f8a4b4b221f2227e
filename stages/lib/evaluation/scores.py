"""Everything that is measured of one model: its figures, and the tables behind its charts."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from stages.lib.evaluation import curves, metrics, rankings
from stages.lib.evaluation.columns import CONFUSION

Figures = dict[str, float | int | None]
# What a review decides by, on the test images; metrics of DVC hold these alone, so that `dvc metrics diff` is read.
METRICS = ("accuracy", "balanced_accuracy", "ece", "log_loss", "roc_auc")


def figures_of(labels: np.ndarray, probabilities: np.ndarray) -> Figures:
    """Figures on the test images, each interval as `<figure>_low` and `<figure>_high`, None where there is none.

    log_loss: in nats. ece: the expected calibration error; calibration_floor, calibration_limit: what it is by chance,
    as `curves.calibration_floor` has them.

    Args:
        labels: int64 (images,).
        probabilities: float64 (images, classes).
    """
    predicted = probabilities.argmax(axis=1)
    intervals = {
        "accuracy": metrics.accuracy(predicted == labels),
        "balanced_accuracy": metrics.balanced_accuracy(labels, predicted),
        "roc_auc": rankings.roc_auc(labels, probabilities),
        "average_precision": rankings.average_precision(labels, probabilities),
    }
    figures: Figures = {}
    for name, found in intervals.items():
        figures |= {name: _known(found.value), f"{name}_low": _known(found.low), f"{name}_high": _known(found.high)}
    floor, limit = curves.calibration_floor(probabilities)
    return figures | {
        "log_loss": metrics.log_loss(labels, probabilities),
        "brier": metrics.brier_score(labels, probabilities),
        "ece": curves.calibration_error(curves.reliability(labels, probabilities)),
        "calibration_floor": floor,
        "calibration_limit": limit,
        "images": len(labels),
    }


def tables_of(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Tables by name: confusion (actual, predicted), roc, per_class, calibration.

    Args:
        labels: int64 (images,), indices into `classes`.
        probabilities: float64 (images, classes).
        classes: their names.
    """
    names, predicted = np.asarray(classes, object), probabilities.argmax(axis=1)
    return {
        "confusion": pd.DataFrame(dict(zip(CONFUSION, (names[labels], names[predicted]), strict=True))),
        "roc": curves.roc(labels, probabilities),
        "per_class": metrics.per_class(labels, predicted, classes),
        "calibration": curves.reliability(labels, probabilities),
    }


def _known(value: float) -> float | None:
    # JSON has no word for what is not a number.
    return None if math.isnan(value) else value
