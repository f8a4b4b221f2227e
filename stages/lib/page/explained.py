"""Explanations of a few predictions of each model: the picture, and where the model found its evidence."""

from dataclasses import dataclass
from pathlib import Path

from stages.lib.comparison.evaluations import Evaluation
from stages.lib.page.data import records
from stages.lib.page.thumbnails import SIDE, embedded_all


@dataclass(frozen=True)
class Explanation:
    """A test picture and its heat. confidence: probability of the predicted class."""

    path: str
    label: str
    predicted: str
    confidence: float
    picture: str
    heat: str


def explanations(one: Evaluation, evaluation: Path, dataset: Path) -> dict[str, list[Explanation]]:
    """Every explained picture of a model, as many as `evaluate.explained` asks for: "right" and "wrong", if any.

    Args:
        evaluation: the directory that `evaluate` wrote.
    """
    table = one.explanations
    right = table["label"] == table["predicted"]
    parts = {"right": table[right], "wrong": table[~right]}
    found = {}
    for title, rows in parts.items():
        sources = [dataset / path for path in rows["path"]] + [
            evaluation / "explanations" / file for file in rows["file"]
        ]
        addresses = embedded_all(sources, SIDE)
        pairs = zip(records(rows.drop(columns="file")), addresses[: len(rows)], addresses[len(rows) :], strict=True)
        found[title] = [Explanation(**row, picture=picture, heat=heat) for row, picture, heat in pairs]
    return {title: pictures for title, pictures in found.items() if pictures}
