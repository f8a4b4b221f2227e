"""Everything that is measured of one model: its figures, and the tables behind its charts."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from stages.lib.evaluation import curves, metrics, rankings

Figures = dict[str, float | int | None]


def figures_of(labels: np.ndarray, probabilities: np.ndarray) -> Figures:
    """Figures on the test pictures, each interval as `<figure>_low` and `<figure>_high`, None where there is none.

    calibration_floor, calibration_limit: of the calibration error, as `curves.calibration_floor` has them.

    Args:
        labels: int64 (pictures,). probabilities: float64 (pictures, classes).
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
        "loss": metrics.log_loss(labels, probabilities),
        "brier": metrics.brier_score(labels, probabilities),
        "calibration_error": curves.calibration_error(curves.reliability(labels, probabilities)),
        "calibration_floor": floor,
        "calibration_limit": limit,
        "pictures": len(labels),
    }


def tables_of(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Tables by name: confusion (actual, predicted), roc, per_class, calibration.

    Args:
        labels: int64 (pictures,), indices into `classes`. probabilities: float64 (pictures, classes).
    """
    names, predicted = np.asarray(classes, object), probabilities.argmax(axis=1)
    return {
        "confusion": pd.DataFrame({"actual": names[labels], "predicted": names[predicted]}),
        "roc": curves.roc(labels, probabilities),
        "per_class": metrics.per_class(labels, predicted, classes),
        "calibration": curves.reliability(labels, probabilities),
    }


def _known(value: float) -> float | None:
    # JSON has no word for what is not a number.
    return None if math.isnan(value) else value
