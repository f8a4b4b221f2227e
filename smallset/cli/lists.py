"""Paths from standard input and from tables, read as they are asked for, however many there are."""

import codecs
import csv
import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from safety.words import in_one_line
from smallset.errors import UserError
from smallset.tables.writers import require_parquet

COLUMN = "path"
TABLES = (".csv", ".parquet")
_LONGEST = 1 << 16  # bytes of a path, far more than any system allows
_AT_ONCE = 1 << 16  # bytes that are read


def lines(file: IO[bytes], end: bytes) -> Iterator[str]:
    """Paths, one after the other; empty ones are none, and the mark with which some systems begin a text is left away.

    Args:
        file: open for reading, such as standard input.
        end: a byte, that ends each.

    Raises:
        UserError: one is longer than any path, or has a null byte: these are no paths, or they end otherwise.
    """
    rest, is_first = b"", True
    # What is there now, rather than as much as was asked for: whoever pipes paths in may go on slowly.
    read = getattr(file, "read1", file.read)
    while piece := read(_AT_ONCE):
        if is_first:
            piece, is_first = piece.removeprefix(codecs.BOM_UTF8), False
        *whole, rest = (rest + piece).split(end)
        for line in whole:
            yield from _path(line, end)
        _check_path(rest)
    yield from _path(rest, end)


def table(file: Path) -> tuple[Iterator[str], int]:
    """The column `path` of a csv or Parquet file, as paths from the working directory, and how many there are.

    Raises:
        UserError: no such column, or no table.
    """
    if file.suffix.casefold() == ".parquet":
        return _of_parquet(file)
    count = sum(1 for _ in _of_csv(file))
    return _of_csv(file), count


def _path(line: bytes, end: bytes) -> Iterator[str]:
    _check_path(line)
    if path := os.fsdecode(line.removesuffix(b"\r") if end == b"\n" else line):
        yield path


def _check_path(line: bytes) -> None:
    expected = "standard input: expected paths, one a line, or ended by null bytes with -0: found"
    if len(line) > _LONGEST:
        raise UserError(f"{expected} one of more than {_LONGEST:,} bytes")
    if b"\0" in line:
        raise UserError(f"{expected} a null byte in a line, as in an image, or in paths that are no UTF-8")


def _of_csv(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.reader(opened, strict=True)
            header = next(rows, [])
            place = _place(file, header)
            for row in rows:
                if not row:
                    continue
                if len(row) != len(header):
                    raise UserError(f"{file}: line {rows.line_num}: expected {len(header)} cells, found {len(row)}")
                yield row[place]
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{file}: expected a table of csv in UTF-8 with a column {COLUMN}: {error}") from None


def _of_parquet(file: Path) -> tuple[Iterator[str], int]:
    require_parquet(str(file))
    import pyarrow
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(file)
        _place(file, opened.schema_arrow.names)
        kind = opened.schema_arrow.field(COLUMN).type
    except (pyarrow.ArrowException, OSError) as error:
        raise _no_parquet(file, error) from None
    if not (pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)):
        raise UserError(f"{file}: {COLUMN}: expected text, found {kind}")

    def paths() -> Iterator[str]:
        try:
            batches = opened.iter_batches(batch_size=4096, columns=[COLUMN])
            for cell in chain.from_iterable(batch.column(0).to_pylist() for batch in batches):
                yield cell or ""
        except (pyarrow.ArrowException, OSError) as error:
            raise _no_parquet(file, error) from None

    return paths(), opened.metadata.num_rows


def _place(file: Path, names: list[str]) -> int:
    if names.count(COLUMN) != 1:
        told = ", ".join(names[:10])[:200]
        raise UserError(f"{file}: expected one column {COLUMN} in its first row, found: {told or 'nothing'}")
    return names.index(COLUMN)


def _no_parquet(file: Path, error: Exception) -> UserError:
    return UserError(f"{file}: expected a Parquet table: {in_one_line(error)}")
