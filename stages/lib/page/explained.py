"""Explanations of a few predictions of each model: the image, and where the model found its evidence."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stages.lib.comparison.evaluations import Evaluation
from stages.lib.page.data import records
from stages.lib.page.thumbnails import SIDE, embedded_all


@dataclass(frozen=True)
class Explanation:
    """A test image and its heat.

    Attributes:
        confidence: probability of the predicted class.
        ratio: width by height of the image, which the heat is given back: models see squares.
    """

    path: str
    label: str
    predicted: str
    confidence: float
    image: str
    heat: str
    ratio: float


def explanations(
    one: Evaluation, evaluation: Path, dataset: Path, images: pd.DataFrame
) -> dict[str, list[Explanation]]:
    """Every explained image of a model, as many as `evaluate.explained` asks for: "right" and "wrong", if any.

    Args:
        one: the model.
        evaluation: the directory that `evaluate` wrote.
        dataset: what the paths of images start from.
        images: the manifest.
    """
    table, sizes = one.explanations, images.set_index("path")[["width", "height"]]
    ratios = sizes["width"] / sizes["height"]
    right = table["label"] == table["predicted"]
    parts = {"right": table[right], "wrong": table[~right]}
    found = {}
    for title, rows in parts.items():
        sources = [dataset / path for path in rows["path"]] + [
            evaluation / "explanations" / file for file in rows["file"]
        ]
        addresses = embedded_all(sources, SIDE)
        pairs = zip(records(rows.drop(columns="file")), addresses[: len(rows)], addresses[len(rows) :], strict=True)
        found[title] = [
            Explanation(**row, image=image, heat=heat, ratio=float(ratios[row["path"]])) for row, image, heat in pairs
        ]
    return {title: images for title, images in found.items() if images}
