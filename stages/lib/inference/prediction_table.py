"""Predictions as a person reads them, on a terminal or through a pipe, and where a table of all of them goes."""

import os
import sys
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from safety.text import visible
from stages.lib.core.errors import UserError
from stages.lib.core.outputs import atomic_file
from stages.lib.inference import predictions

_MOST = 4  # classes with a column of their own
_NEXT = 2  # classes named beside the predicted one where there are more
# What makes a formula of a cell: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PIPE = 1 << 16  # columns: a pipe has no width, and each image its own line there


def show(table: pd.DataFrame) -> None:
    """Print a row per image. Of many classes only the likeliest are shown; then a line on stderr says so.

    Args:
        table: of `predictions.table`.
    """
    probabilities, classes = predictions.probabilities_of(table), predictions.classes_of(table)
    few = len(classes) <= _MOST
    titles = predictions.columns_of(classes) if few else ["probability", "then"]
    shown = Table(box=None, header_style="dim", pad_edge=False)
    on_terminal = sys.stdout.isatty()
    for index, name in enumerate(["path", "predicted", *titles]):
        right = index > 1 and name != "then"
        shown.add_column(Text(visible(name)), justify="right" if right else "left", overflow="fold")
    for path, predicted, row in zip(table["path"], table["predicted"], probabilities, strict=True):
        cells = [f"{value:.4f}" for value in row] if few else _likeliest(row, classes)
        shown.add_row(*(Text(visible(cell)) for cell in (path, predicted, *cells)))
    Console(width=None if on_terminal else _PIPE).print(shown)
    if not few:
        left_out = len(classes) - 1 - _NEXT
        print(f"{left_out} more classes have less: --csv FILE writes the probability of every class", file=sys.stderr)


def _likeliest(row: np.ndarray, classes: list[str]) -> list[str]:
    first, *others = sorted(range(len(classes)), key=lambda index: -row[index])[: 1 + _NEXT]
    return [f"{row[first]:.4f}", ", ".join(f"{classes[index]} {row[index]:.4f}" for index in others)]


def require_target(file: Path, inputs: Collection[Path] = ()) -> None:
    """Make sure, before any work, that a table can be written to a file.

    Args:
        inputs: files that are read, and must not be written over.

    Raises:
        UserError: it is a folder, lies in none, is one of the inputs, or nobody may write there.
    """
    target = file.resolve()
    if file.is_dir():
        reason = "found a folder"
    elif not _is_special(file) and not target.parent.is_dir():
        reason = "found no such folder" if not target.parent.exists() else f"{target.parent} is a file"
    elif any(target == path.resolve() for path in inputs):
        reason = "found one of the images"
    elif not os.access(target if _is_special(file) else target.parent, os.W_OK):
        reason = "writing is not permitted"
    else:
        return
    raise UserError(f"--csv {file}: expected a file to write in a folder that exists: {reason}")


def for_spreadsheets(table: pd.DataFrame) -> pd.DataFrame:
    """A table that a person opens: no path or name in it is a formula to a spreadsheet.

    A path that begins like one gets `./` before it, which is the same path; a class gets an apostrophe. The tables of
    the pipeline itself are not changed: they are read back.
    """
    paths = [f"./{path}" if str(path).startswith(_FORMULA) else path for path in table["path"]]
    classes = [f"'{name}" if str(name).startswith(_FORMULA) else name for name in table["predicted"]]
    return table.assign(path=paths, predicted=classes)


def write(table: pd.DataFrame, file: Path) -> None:
    """Write every probability as csv, for spreadsheets too; through a link into what it leads to."""
    table = for_spreadsheets(table)
    if _is_special(file):
        predictions.write(table, file)
        return
    with atomic_file(file.resolve()) as partial:
        predictions.write(table, partial)


def _is_special(file: Path) -> bool:
    """Whether it is a pipe or a device, which is written to and never replaced."""
    return file.exists() and not file.is_file()
