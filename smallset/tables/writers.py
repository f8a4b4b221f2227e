"""Predictions written to a file, one after the other, so that memory does not grow with their number."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

from smallset.errors import UserError
from smallset.inference.results import PREFIX, Prediction

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
Write = Callable[[Prediction], None]
# What makes a formula of a cell: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four are wide
_ROW_GROUP = 4096  # rows of Parquet that are in memory at once


def format_of(file: Path, option: str) -> Format:
    """The format that the suffix of a file asks for.

    Raises:
        UserError: none that is written, or one for which a library is missing.
    """
    form = next((one for one in FORMATS if file.suffix.casefold() == f".{one}"), None)
    if form is None:
        raise UserError(f"{option} {file}: expected a file with the suffix {', '.join(f'.{one}' for one in FORMATS)}")
    if form == "parquet":
        require_parquet(f"{option} {file}")
    return form


def require_parquet(what: str) -> None:
    """Make sure that Parquet can be read and written.

    Raises:
        UserError: pyarrow is missing.
    """
    if find_spec("pyarrow") is None:
        raise UserError(f"{what}: Parquet needs pyarrow: pip install pyarrow")


@contextmanager
def writing(file: Path, form: Format, classes: Sequence[str], decided: bool = False) -> Iterator[Write]:
    """Yield a function that writes a prediction; the file is complete when the block ends.

    In csv no path and no name is a formula to a spreadsheet: a path that begins like one gets `./` before it, which is
    the same path, a class an apostrophe. JSON lines and Parquet have all names as they are.

    Args:
        file: to write, or to write over.
        form: of the file.
        classes: names, in the order of the columns.
        decided: whether there is a column for the decision, after the class.
    """
    if form == "parquet":
        with _parquet(file, classes, decided) as write:
            yield write
        return
    with file.open("w", encoding="utf-8", newline="") as opened:
        if form == "jsonl":
            yield lambda one: _write_line(opened, one)
            return
        plain = csv.writer(opened, lineterminator="\n")
        quoting = csv.writer(opened, lineterminator="\n", quoting=csv.QUOTE_ALL)

        def write_row(cells: list[str]) -> None:
            # A row ends at "\r" too for whoever reads it, and Python quotes it only from 3.13 on.
            (quoting if any("\r" in cell for cell in cells) else plain).writerow(cells)

        write_row(["path", "predicted", *["decision"] * decided, *(f"{PREFIX}{name}" for name in classes)])
        yield lambda one: write_row(
            [
                path_for_spreadsheets(one.path or ""),
                class_for_spreadsheets(one.label),
                *[one.decision or ""] * decided,
                *(f"{one.probabilities[name]:.7g}" for name in classes),
            ]
        )


def path_for_spreadsheets(path: str) -> str:
    """A path that no spreadsheet takes for a formula, and that still leads to the same file."""
    return f"./{path}" if path.startswith(_FORMULA) else path


def class_for_spreadsheets(name: str) -> str:
    """The name of a class, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{name}" if name.startswith(_FORMULA) else name


def _write_line(file: Any, one: Prediction) -> None:
    about: dict[str, Any] = {"path": one.path, "predicted": one.label, "probability": one.probability}
    if one.decision is not None:
        about["decision"] = one.decision
    if one.distance is not None:
        about["distance"] = one.distance
    # In ASCII: whatever a name holds, a terminal that the file is shown on obeys nothing of it.
    file.write(json.dumps(about | {"probabilities": one.probabilities}) + "\n")


@contextmanager
def _parquet(file: Path, classes: Sequence[str], decided: bool) -> Iterator[Write]:
    import pyarrow
    from pyarrow import parquet

    columns = [f"{PREFIX}{name}" for name in classes]
    texts = ["path", "predicted", *["decision"] * decided]
    schema = pyarrow.schema(
        [*((name, pyarrow.string()) for name in texts), *((name, pyarrow.float64()) for name in columns)]
    )
    rows: list[Prediction] = []

    def flush() -> None:
        values = [
            [one.path for one in rows],
            [one.label for one in rows],
            *[[one.decision for one in rows]] * decided,
            *([one.probabilities[name] for one in rows] for name in classes),
        ]
        arrays = [pyarrow.array(column, field.type) for column, field in zip(values, schema, strict=True)]
        writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
        rows.clear()

    def write(one: Prediction) -> None:
        rows.append(one)
        if len(rows) == _ROW_GROUP:
            flush()

    with file.open("wb") as opened, parquet.ParquetWriter(opened, schema) as writer:
        yield write
        if rows:
            flush()
