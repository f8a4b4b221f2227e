"""What decisions are worth on test images, and on images of something else."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from smallset.inference.decisions import Decisions
from stages.lib.deciding.choosing import tempered
from stages.lib.evaluation import curves, metrics, rankings

_KEPT = 0.95
_POINTS = 51


def figures(
    decisions: Decisions,
    labels: np.ndarray,
    raw: np.ndarray,
    distances: np.ndarray | None,
    foreign: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> dict[str, Any]:
    """Measure.

    Args:
        decisions: chosen on other images.
        labels: int64 (images,) of the test images.
        raw: float64 (images, classes), probabilities before the temperature.
        distances: float64 (images,); None: the model has no features.
        foreign: by kind, probabilities before the temperature and distances of images of something else.

    Returns:
        images; calibration before and after; accuracy of all answers, share and accuracy of the sure ones with
        intervals; shares of unsure and unknown; the curve of accuracy by coverage; and of each kind of foreign images.
    """
    probabilities = tempered(raw, decisions.temperature)
    said = np.array(decisions.decided(probabilities, distances))
    predicted = decisions.predicted(probabilities)
    right = predicted == labels
    confidence = probabilities[np.arange(len(labels)), predicted]
    return {
        "images": len(labels),
        "calibration": {"before": _calibration(labels, raw), "after": _calibration(labels, probabilities)},
        "all": _share(right),
        "sure": _share(right[said == "sure"]) | {"share": float((said == "sure").mean())},
        "unsure": float((said == "unsure").mean()),
        "unknown": float((said == "unknown").mean()),
        "curve": _curve(confidence, right),
        "foreign": [
            {"kind": kind} | _foreign(decisions, tempered(found, decisions.temperature), far, distances)
            for kind, (found, far) in foreign.items()
            if distances is not None
        ],
    }


def _calibration(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    return {
        "ece": curves.calibration_error(curves.reliability(labels, probabilities)),
        "log_loss": metrics.log_loss(labels, probabilities),
    }


def _share(right: np.ndarray) -> dict[str, float | int | None]:
    if not len(right):
        return {"accuracy": None, "low": None, "high": None, "images": 0}
    found = metrics.accuracy(right)
    return {"accuracy": found.value, "low": found.low, "high": found.high, "images": len(right)}


def _curve(confidence: np.ndarray, right: np.ndarray) -> list[list[float]]:
    """Coverage, and accuracy of the surest images that make it, at evenly spaced coverages."""
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(right) + 1)
    places = np.unique(np.linspace(0, len(right) - 1, min(_POINTS, len(right))).round().astype(int))
    return [[round(float((place + 1) / len(right)), 6), round(float(accuracy[place]), 6)] for place in places]


def _foreign(
    decisions: Decisions, probabilities: np.ndarray, far: np.ndarray, distances: np.ndarray | None
) -> dict[str, float | int]:
    assert distances is not None
    both, is_foreign = np.concatenate([distances, far]), np.repeat([0, 1], [len(distances), len(far)])
    area = rankings.roc_auc(is_foreign, np.stack([-both, both], axis=1))
    said = np.array(decisions.decided(probabilities, far))
    return {
        "images": len(far),
        "auroc": area.value,
        "low": area.low,
        "high": area.high,
        # Measured on its own: where 95 % of the test images are kept, whatever share was asked for.
        "false_positive_rate": float((far <= np.quantile(distances, _KEPT)).mean()),
        "unknown": float((said == "unknown").mean()),
        "answered": float((said == "sure").mean()),
    }
