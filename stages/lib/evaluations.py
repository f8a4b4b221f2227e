"""What the stages `evaluate` wrote, read back together: every model on the same test pictures."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.lib import metrics, predictions
from stages.lib.errors import UserError

# In the order in which they are shown, from cheap to strong.
DESCRIPTIONS = {
    "scratch": "a small convnet from random weights",
    "scratch_augmented": "the same convnet on flipped, turned and zoomed pictures, with dropout",
    "feature_extraction": "a small head on the cached features of a frozen pretrained backbone",
    "feature_extraction_augmented": "a small head trained through the frozen backbone on varied pictures",
    "fine_tuned": "a small head and its pretrained backbone, which is trained further at a small learning rate",
}


@dataclass(frozen=True)
class Evaluation:
    """One model on the test pictures.

    figures: as in metrics.json. predictions: path, label, predicted, `p_<class>`. confusion: rows of actual, columns
    of predicted class, counts. curves: epoch, loss, accuracy, val_loss, val_accuracy. summary: of the training.
    p_value: that it is right as often as the recommended model; None for that model itself.
    """

    name: str
    figures: dict[str, Any]
    predictions: pd.DataFrame
    confusion: pd.DataFrame
    curves: pd.DataFrame
    summary: dict[str, Any]
    p_value: float | None = None

    @property
    def description(self) -> str:
        """What the model is, in a few words."""
        return DESCRIPTIONS.get(self.name, "")

    @property
    def right(self) -> np.ndarray:
        """bool (pictures,): whether each prediction is right."""
        return (self.predictions["label"] == self.predictions["predicted"]).to_numpy()


def best(models: Iterable[tuple[str, dict[str, Any]]]) -> str:
    """The model to use: the highest accuracy on the validation pictures; of equals the lowest loss, then the cheapest.

    Args:
        models: names, and what each one's summary.json holds.
    """
    ranked = sorted(models, key=lambda model: _rank(model[0]))
    return min(ranked, key=lambda model: (-model[1]["val_accuracy"], model[1]["val_loss"]))[0]


def read_evaluations(models: Path, evaluations: Path) -> list[Evaluation]:
    """Read every model that is turned on, the recommended one compared with each of the others.

    Raises:
        UserError: all are turned off.
    """
    names = sorted((file.parent.name for file in evaluations.glob("*/metrics.json")), key=_rank)
    found = [_read(name, models / name, evaluations / name) for name in names if _is_on(evaluations / name)]
    if not found:
        raise UserError("report: expected at least one model; set `enabled: true` of one in params.yaml")
    recommended = next(one for one in found if one.name == best((e.name, e.summary) for e in found))
    others = [one for one in found if one is not recommended]
    p_values = metrics.paired_tests(recommended.right, [one.right for one in others])
    compared = dict(zip((one.name for one in others), p_values, strict=True))
    return [Evaluation(**(vars(one) | {"p_value": compared.get(one.name)})) for one in found]


def recommended_of(evaluations: Sequence[Evaluation]) -> Evaluation:
    """The model to use."""
    return next(one for one in evaluations if one.p_value is None)


def _rank(name: str) -> tuple[int, str]:
    known = list(DESCRIPTIONS)
    return (known.index(name) if name in known else len(known), name)


def _is_on(evaluation: Path) -> bool:
    return bool(json.loads((evaluation / "metrics.json").read_text(encoding="utf-8")))


def _read(name: str, model: Path, evaluation: Path) -> Evaluation:
    summary = json.loads((model / "summary.json").read_text(encoding="utf-8"))
    table = predictions.read(evaluation / "predictions.csv")
    classes = summary["classes"]
    counts = pd.crosstab(table["label"], table["predicted"])
    return Evaluation(
        name,
        json.loads((evaluation / "metrics.json").read_text(encoding="utf-8")),
        table,
        counts.reindex(index=classes, columns=classes, fill_value=0),
        pd.read_csv(evaluation / "curves.csv"),
        summary,
    )
