"""Pictures inside the report: small copies, as part of the page."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from PIL import Image

from stages.lib.evaluations import Evaluation
from stages.lib.pictures import decode

_SIDE = 132  # pixels


@dataclass(frozen=True)
class WrongPicture:
    """A test picture that a model took for another class. confidence: probability of the predicted class."""

    path: str
    label: str
    predicted: str
    confidence: float
    address: str


def most_confidently_wrong(evaluation: Evaluation, dataset: Path, count: int) -> list[WrongPicture]:
    """The wrong predictions of a model, the most confident first.

    Args:
        count: how many at the most.
    """
    wrong = evaluation.predictions[~evaluation.right]
    confidence = pd.Series([row[f"p_{row['predicted']}"] for _, row in wrong.iterrows()], wrong.index, float)
    ordered = wrong.assign(confidence=confidence).sort_values(["confidence", "path"], ascending=[False, True])
    return [
        WrongPicture(row["path"], row["label"], row["predicted"], row["confidence"], thumbnail(dataset / row["path"]))
        for _, row in ordered.head(count).iterrows()
    ]


def thumbnail(file: Path) -> str:
    """A picture as a data address, at most 132 pixels a side."""
    image = Image.fromarray(decode(file))
    image.thumbnail((_SIDE, _SIDE))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"


def embedded_sheet(file: Path, side: int = 480) -> str:
    """A PNG, such as a sheet of variants, as a data address: a JPEG of at most `side` pixels a side."""
    with Image.open(file) as image:
        sheet = image.convert("RGB")
    sheet.thumbnail((side, side))
    content = io.BytesIO()
    sheet.save(content, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"
