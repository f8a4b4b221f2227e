"""The backbones that were to choose from, as a table of the report."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safety.text import redacted


@dataclass(frozen=True)
class Backbones:
    """The candidates beside each other.

    Attributes:
        rows: a row per candidate, the cheapest first, as the stage `backbone` writes it.
        measure: what their figure is: accuracy, or balanced accuracy.
        images: that it is of.
        why: in one sentence, why the chosen one is.
    """

    rows: list[dict[str, Any]]
    measure: str
    images: int
    why: str


def compared(file: Path) -> Backbones | None:
    """Read what the stage `backbone` found; None where there was nothing to choose from.

    Args:
        file: json: a list of rows.
    """
    rows = [row | {"preset": redacted(row["preset"])} for row in json.loads(file.read_text(encoding="utf-8"))]
    if not rows:
        return None
    return Backbones(rows, rows[0]["measure"], rows[0]["images"], _why(rows))


def _why(rows: list[dict[str, Any]]) -> str:
    chosen, best = (next(row for row in rows if row[kind]) for kind in ("chosen", "best"))
    if len(rows) == 1:
        return "It was the only one asked for."
    if chosen is best:
        return "It has the highest figure, and none that is cheaper is within one standard error of it."
    return f"It is the cheapest of those within one standard error of the best, {best['preset']}."
