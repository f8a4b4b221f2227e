"""What the stages `evaluate` wrote, read back together: every model on the same test images."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.lib.comparison.choice import Choice, choose
from stages.lib.comparison.comparisons import Comparison, Measure, compare_all, measure_of
from stages.lib.core.errors import UserError
from stages.lib.inference import predictions

# In the order in which they are shown, from cheap to strong.
DESCRIPTIONS = {
    "scratch": "a small convnet from random weights",
    "scratch_augmented": "the same convnet on flipped, turned and zoomed images, with dropout",
    "feature_extraction": "a small head on the cached features of a frozen pretrained backbone",
    "feature_extraction_augmented": "a small head trained through the frozen backbone on varied images",
    "fine_tuned": "a small head and its pretrained backbone, which is trained further at a small learning rate",
}

# The same in words for people; what is not here goes by its own name.
TITLES = {
    "scratch": "small network",
    "scratch_augmented": "small network on varied images",
    "feature_extraction": "pretrained network",
    "feature_extraction_augmented": "pretrained network on varied images",
    "fine_tuned": "fine-tuned network",
}


def title_of(name: str) -> str:
    """A model in plain words, as a heading or a table has it, such as "Fine-tuned network"."""
    title = TITLES.get(name, name)
    return title[:1].upper() + title[1:] if name in TITLES else title


def called(name: str) -> str:
    """The same inside a sentence: "the fine-tuned network"."""
    return f"the {TITLES[name]}" if name in TITLES else name


@dataclass(frozen=True)
class Evaluation:
    """One model on the test images.

    Attributes:
        figures: figures.json.
        summary: summary.json of the training.
        predictions: path, sha256, label, predicted, `p_<class>` of the test images.
        validation: the same of the validation images.
        curves: as `evaluate` wrote it; so are roc, per_class, calibration and explanations.
    """

    name: str
    figures: dict[str, Any]
    summary: dict[str, Any]
    predictions: pd.DataFrame
    curves: pd.DataFrame
    roc: pd.DataFrame
    per_class: pd.DataFrame
    calibration: pd.DataFrame
    explanations: pd.DataFrame
    validation: pd.DataFrame

    @property
    def description(self) -> str:
        """What the model is, in a few words."""
        return DESCRIPTIONS.get(self.name, "")

    @property
    def title(self) -> str:
        """What it is called on a page for people."""
        return title_of(self.name)

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the model's order."""
        return list(self.summary["classes"])

    @property
    def is_linear(self) -> bool:
        """Whether it is a linear head on the features of a backbone, fitted at once rather than epoch by epoch."""
        return bool((self.summary.get("head") or {}).get("kind") == "logistic")

    @property
    def right(self) -> np.ndarray:
        """bool (images,): whether each prediction is right."""
        return _right(self.predictions)

    @property
    def confidence(self) -> np.ndarray:
        """float64 (images,): probability of the predicted class, which is the most probable one."""
        return predictions.probabilities_of(self.predictions).max(axis=1)


@dataclass(frozen=True)
class Results:
    """Every model that is turned on, on the same test images.

    Attributes:
        headline: the measure that counts: accuracy, or balanced accuracy where the test images are imbalanced.
        recommended: the model to use.
        comparisons: of every pair, on the test images.
        choice: why it is recommended.
    """

    evaluations: list[Evaluation]
    headline: Measure
    recommended: Evaluation
    comparisons: list[Comparison]
    choice: Choice

    @property
    def words(self) -> str:
        """The headline in words."""
        return self.headline.replace("_", " ")

    @property
    def labels(self) -> pd.Series:
        """The class of each test image, as text."""
        return self.recommended.predictions["label"]

    @property
    def beside_others(self) -> list[Comparison]:
        """The recommended model beside each of the others."""
        name = self.recommended.name
        own = [pair for pair in self.comparisons if name in (pair.one, pair.other)]
        return [pair if pair.one == name else pair.swapped() for pair in own]


def read_results(models: Path, evaluations: Path) -> Results:
    """Read every model that is turned on, and compare each with each.

    Args:
        models: a directory per model.
        evaluations: likewise, as `evaluate` writes them.

    Raises:
        UserError: all are turned off, or they were evaluated on different images.
    """
    names = sorted((file.parent.name for file in evaluations.glob("*/figures.json")), key=order_of)
    found = {name: _read(name, models / name, evaluations / name) for name in names if _is_on(evaluations / name)}
    if not found:
        raise UserError("report: expected at least one model; set `enabled: true` of one in params.yaml")
    _require_same_images(list(found.values()))
    first = next(iter(found.values()))
    labels = first.predictions["label"].to_numpy()
    headline = measure_of(labels)
    choice = choose(
        {name: _right(one.validation) for name, one in found.items()},
        first.validation["label"].to_numpy(),
        headline,
        {name: one.figures["validation_loss"] for name, one in found.items()},
    )
    comparisons = compare_all({name: one.right for name, one in found.items()}, labels)
    return Results(list(found.values()), headline, found[choice.chosen], comparisons, choice)


def _right(table: pd.DataFrame) -> np.ndarray:
    return (table["label"] == table["predicted"]).to_numpy(bool)


def order_of(name: str) -> tuple[int, str]:
    """What models are sorted by: from cheap to strong, then those that nobody knows by their names."""
    known = list(DESCRIPTIONS)
    return (known.index(name) if name in known else len(known), name)


def _is_on(evaluation: Path) -> bool:
    return bool(json.loads((evaluation / "figures.json").read_text(encoding="utf-8")))


def _read(name: str, model: Path, evaluation: Path) -> Evaluation:
    return Evaluation(
        name,
        json.loads((evaluation / "figures.json").read_text(encoding="utf-8")),
        json.loads((model / "summary.json").read_text(encoding="utf-8")),
        predictions.read(evaluation / "predictions.csv"),
        pd.read_csv(evaluation / "curves.csv"),
        pd.read_csv(evaluation / "roc.csv"),
        # A class may be called "NA", or "1".
        pd.read_csv(evaluation / "per_class.csv", dtype={"class": str}, na_filter=False),
        pd.read_csv(evaluation / "calibration.csv"),
        pd.read_csv(evaluation / "explanations" / "index.csv", dtype={"label": str, "predicted": str}, na_filter=False),
        predictions.read(evaluation / "validation_predictions.csv"),
    )


def _require_same_images(found: list[Evaluation]) -> None:
    columns, first = ["path", "label"], found[0]
    for one in found[1:]:
        for subset, table, expected in (
            ("test", one.predictions, first.predictions),
            ("validation", one.validation, first.validation),
        ):
            if not table[columns].equals(expected[columns]):
                raise UserError(
                    f"report: expected {one.name} and {first.name} to be evaluated on the same {subset} images; "
                    "run `smallset run` again"
                )
