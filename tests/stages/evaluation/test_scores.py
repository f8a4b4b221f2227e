"""Everything that is measured of one model: each figure is of the labels, and by its own name."""

import numpy as np
import pytest

from stages.lib.evaluation import scores

LABELS = np.array([1, 1, 0, 1, 0])
SECOND = np.array([0.95, 0.97, 0.96, 0.55, 0.0])  # probability of the second class: the third image is wrong
PROBABILITIES = np.stack([1 - SECOND, SECOND], axis=1)


def test_figures_by_hand():
    found = scores.figures_of(LABELS, PROBABILITIES)
    right = np.array([0.95, 0.97, 0.04, 0.55, 1])
    expected = {
        "accuracy": 4 / 5,
        "balanced_accuracy": (1 / 2 + 1) / 2,
        # Of the pairs of the third image one of three is in the right order, of the fifth all.
        "roc_auc": 4 / 6,
        "log_loss": -np.log(right.clip(1e-7, 1 - 1e-7)).mean(),
        "brier": ((1 - right) ** 2).mean(),
        "ece": (1 * abs(1 - 0.55) + 4 * abs(0.75 - 0.97)) / 5,
        "images": 5,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    for name in ("accuracy", "balanced_accuracy", "roc_auc", "average_precision"):
        assert found[f"{name}_low"] < found[name] < found[f"{name}_high"]
    assert set(scores.METRICS) < set(found)


def test_tables_are_of_the_same_images():
    found = scores.tables_of(LABELS, PROBABILITIES, ["cat", "dog"])
    assert found["confusion"].values.tolist() == [
        ["dog", "dog"],
        ["dog", "dog"],
        ["cat", "dog"],
        ["dog"] * 2,
        ["cat"] * 2,
    ]
    assert found["per_class"][["class", "images", "recall"]].values.tolist() == [["cat", 2, 0.5], ["dog", 3, 1]]
    assert found["calibration"]["images"].tolist() == [1, 4]
