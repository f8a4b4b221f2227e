"""The backbone to take: the cheapest of those that the training and validation images do not tell from the best."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.lib.arrays import feature_files
from stages.lib.candidates import slots
from stages.lib.candidates.cost import milliseconds
from stages.lib.candidates.slots import Candidate
from stages.lib.comparison.choice import choose
from stages.lib.comparison.comparisons import Measure, measure_of
from stages.lib.comparison.wording import percent
from stages.lib.core.errors import UserError
from stages.lib.evaluation.intervals import Interval
from stages.lib.evaluation.metrics import accuracy, balanced_accuracy, log_loss
from stages.lib.inference import predictions
from stages.lib.inference.forward import compiled
from stages.lib.networks.build import feature_extractor

_BATCH = 16  # images at once, of the time that is measured


@dataclass(frozen=True)
class Chosen:
    """The candidate that is taken.

    Attributes:
        folder: of its slot.
        candidate: what is known of it.
        rows: a row per candidate, the cheapest first, for the report.
    """

    folder: Path
    candidate: Candidate
    rows: list[dict[str, Any]]

    @property
    def preset(self) -> Path:
        """Directory of the preset."""
        return self.folder / slots.PRESET

    @property
    def features(self) -> list[Path]:
        """Files of its features, as `feature_files` writes them."""
        known = feature_files.subsets(self.folder)
        return [*(file for subset in known for file in self.folder.glob(f"{subset}*")), self.folder / "features.json"]


@dataclass(frozen=True)
class _Judged:
    folder: Path
    candidate: Candidate
    labels: np.ndarray
    right: np.ndarray
    figure: Interval
    loss: float


def choose_among(folder: Path) -> Chosen:
    """Choose by the rule of one standard error, as the report chooses among models (`choice.choose`).

    What is cheaper is what takes fewer multiplications an image, of equal ones the one with fewer parameters: both are
    counted, so the choice is the same on every machine. The time of an image is measured for the table alone.

    Args:
        folder: a directory per slot, as the stage `candidate_features` writes them.

    Raises:
        UserError: every slot is empty, or candidates were judged on different images.
    """
    found = slots.read_all(folder)
    if not found:
        raise UserError("backbone.candidates: expected at least one preset, every slot is empty")
    tables = {one: predictions.read(one / slots.OUT_OF_FOLD) for one in found}
    _require_same_images(found, tables)
    labels = next(iter(tables.values()))["label"].to_numpy()
    measure = measure_of(labels)
    judged = [_judge(one, found[one], tables[one], measure) for one in sorted(found, key=lambda one: _cost(found[one]))]
    rights = {one.candidate.preset: one.right for one in judged}
    choice = choose(rights, labels, measure, {one.candidate.preset: one.loss for one in judged})
    chosen = next(one for one in judged if one.candidate.preset == choice.chosen)
    rows = [_row(one, measure, choice.chosen, choice.best) for one in judged]
    for row in rows:
        print(_sentence(row), flush=True)
    return Chosen(chosen.folder, chosen.candidate, rows)


def _require_same_images(found: Mapping[Path, Candidate], tables: Mapping[Path, pd.DataFrame]) -> None:
    first, *others = tables
    for other in others:
        if not tables[other][["path", "label"]].equals(tables[first][["path", "label"]]):
            raise UserError(
                f"backbone.candidates: expected {found[other].preset} and {found[first].preset} to be judged on the "
                "same images; run `smallset run` again"
            )


def _cost(candidate: Candidate) -> tuple[int, int, str]:
    return candidate.multiply_adds, candidate.parameters, candidate.preset


def _judge(folder: Path, candidate: Candidate, table: pd.DataFrame, measure: Measure) -> _Judged:
    classes = predictions.classes_of(table)
    labels, predicted = table["label"].to_numpy(), table["predicted"].to_numpy()
    right = labels == predicted
    figure = accuracy(right) if measure == "accuracy" else balanced_accuracy(labels, predicted)
    indices = np.array([classes.index(label) for label in labels])
    return _Judged(folder, candidate, labels, right, figure, log_loss(indices, predictions.probabilities_of(table)))


def _row(one: _Judged, measure: Measure, chosen: str, best: str) -> dict[str, Any]:
    candidate = one.candidate
    _, precision = feature_files.read_about(one.folder)
    size = candidate.image_size
    forward = compiled(feature_extractor(one.folder / slots.PRESET, size, precision), _BATCH)
    images = np.random.default_rng(0).integers(0, 256, (_BATCH, size, size, 3), np.uint8)
    return {
        **asdict(candidate),
        "images": len(one.labels),
        "measure": measure,
        "figure": one.figure.value,
        "low": one.figure.low,
        "high": one.figure.high,
        "log_loss": one.loss,
        "milliseconds": round(milliseconds(forward, images), 2),
        "best": candidate.preset == best,
        "chosen": candidate.preset == chosen,
    }


def _sentence(row: dict[str, Any]) -> str:
    figure, low, high = (percent(row[key]) for key in ("figure", "low", "high"))
    said = ", taken" if row["chosen"] else ""
    return (
        f"candidate {row['preset']}: {row['measure'].replace('_', ' ')} {figure} ({low} to {high}) "
        f"on {row['images']:,} images, {row['milliseconds']:.1f} ms an image, {row['megabytes']:.1f} MB{said}"
    )
