"""What decisions are worth on test images, and on images of something else."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from smallset.inference.decisions import Decisions
from stages.lib.deciding.choosing import tempered
from stages.lib.evaluation import curves, metrics, rankings

COLUMNS = ("path", "label", "predicted", "probability", "distance", "decision")
_KEPT = 0.95
_POINTS = 101


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
        intervals; what another rule than the likeliest class is worth, beside that one; shares of unsure and unknown;
        the curve of accuracy by coverage; and of each kind of foreign images.
    """
    probabilities = tempered(raw, decisions.temperature)
    said = np.array(decisions.decided(probabilities, distances))
    predicted = decisions.predicted(probabilities)
    right = predicted == labels
    confidence = probabilities[np.arange(len(labels)), predicted]
    strangers = (
        []
        if distances is None
        else [
            {"kind": kind} | _foreign(decisions, tempered(found, decisions.temperature), far, distances)
            for kind, (found, far) in foreign.items()
        ]
    )
    return {
        "images": len(labels),
        "calibration": {"before": calibration(labels, raw), "after": calibration(labels, probabilities)},
        "all": _share(right),
        "rule": _rule(decisions, labels, predicted, probabilities.argmax(axis=1)),
        "sure": _share(right[said == "sure"]) | {"share": float((said == "sure").mean())},
        "unsure": float((said == "unsure").mean()),
        "unknown": float((said == "unknown").mean()),
        "curve": _curve(confidence, right),
        "foreign": strangers,
    }


def answers(
    decisions: Decisions, tested: pd.DataFrame, classes: Sequence[str], raw: np.ndarray, distances: np.ndarray | None
) -> pd.DataFrame:
    """What is said of each test image, as the bundle says it.

    Args:
        decisions: chosen on other images.
        tested: path and label of each.
        classes: names.
        raw: float64 (images, classes), probabilities before the temperature.
        distances: float64 (images,); None: the model has no features.

    Returns:
        A row per image, the columns `COLUMNS`; without a distance that one is empty.
    """
    probabilities = tempered(raw, decisions.temperature)
    places = decisions.predicted(probabilities)
    return tested[["path", "label"]].assign(
        predicted=np.asarray(classes, object)[places],
        probability=probabilities[np.arange(len(places)), places],
        distance=np.nan if distances is None else distances,
        decision=decisions.decided(probabilities, distances),
    )


def calibration(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """How far probabilities are from what they say: ece, in shares of images, and log_loss, in nats.

    Args:
        labels: int64 (images,).
        probabilities: float64 (images, classes).
    """
    return {
        "ece": curves.calibration_error(curves.reliability(labels, probabilities)),
        "log_loss": metrics.log_loss(labels, probabilities),
    }


def _share(right: np.ndarray) -> dict[str, float | int | None]:
    if not len(right):
        return {"accuracy": None, "low": None, "high": None, "images": 0}
    found = metrics.accuracy(right)
    return {"accuracy": found.value, "low": found.low, "high": found.high, "images": len(right)}


def _rule(
    decisions: Decisions, labels: np.ndarray, predicted: np.ndarray, likeliest: np.ndarray
) -> dict[str, dict[str, float | None]] | None:
    """By figure, of the rule and of the likeliest class; None where the rule is the likeliest class."""
    if decisions.costs is not None:
        costs = np.array(decisions.costs)
        return {
            "cost": {name: float(costs[labels, one].mean()) for name, one in _both(predicted, likeliest)},
            "accuracy": {name: float((labels == one).mean()) for name, one in _both(predicted, likeliest)},
        }
    if decisions.of_class is None:
        return None
    own = labels == decisions.of_class
    found = {name: one == decisions.of_class for name, one in _both(predicted, likeliest)}
    return {
        "recall": {name: _ratio((own & one).sum(), own.sum()) for name, one in found.items()},
        "precision": {name: _ratio((own & one).sum(), one.sum()) for name, one in found.items()},
        "f1": {name: _ratio(2 * (own & one).sum(), own.sum() + one.sum()) for name, one in found.items()},
    }


def _both(predicted: np.ndarray, likeliest: np.ndarray) -> tuple[tuple[str, np.ndarray], tuple[str, np.ndarray]]:
    return ("rule", predicted), ("likeliest", likeliest)


def _ratio(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _curve(confidence: np.ndarray, right: np.ndarray) -> list[list[float]]:
    """Coverage, and accuracy of the surest images that make it, at evenly spaced coverages."""
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(right) + 1)
    places = np.unique(np.linspace(0, len(right) - 1, min(_POINTS, len(right))).round().astype(int))
    return [[round(float((place + 1) / len(right)), 6), round(float(accuracy[place]), 6)] for place in places]


def _foreign(
    decisions: Decisions, probabilities: np.ndarray, far: np.ndarray, distances: np.ndarray
) -> dict[str, float | int]:
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
