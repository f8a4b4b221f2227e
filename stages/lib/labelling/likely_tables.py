"""Which csv files beside the images look like their labels."""

import csv
import zipfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import PurePosixPath

from stages.lib.images.set_aside import is_set_aside
from stages.lib.labelling.table import ENCODING, csv_files, delimiter_in

_LIKELY = {"path", "file", "filename", "file_name", "image", "image_id", "id"}, {"label", "class", "category", "target"}
_BYTES = 1 << 14  # of a table, which are enough to know it
_ROWS = 3  # that a table has at least, to be known by its rows
_SHARE = 0.9  # of a column's cells that name images, where it names them


def likely_tables(archive: zipfile.ZipFile) -> list[str]:
    """Names of csv files whose columns are called as those of labels, or one of whose columns names images."""
    if not (tables := csv_files(archive)):
        return []
    images = {_stem(name) for name in archive.namelist() if not (name.endswith("/") or is_set_aside(name))}
    return [name for name in tables if _is_likely(_first_rows(archive, name), images)]


def _first_rows(archive: zipfile.ZipFile, name: str) -> list[list[str]]:
    with archive.open(name) as file:
        text = file.read(_BYTES).decode(ENCODING, "replace")
    lines = text.splitlines()
    if archive.getinfo(name).file_size > _BYTES:
        lines.pop()  # half a row
    with suppress(csv.Error):
        return list(csv.reader(lines, delimiter=delimiter_in(text)))
    return []


def _is_likely(rows: Sequence[Sequence[str]], images: Collection[str]) -> bool:
    if not rows:
        return False
    columns = {cell.strip().casefold() for cell in rows[0]}
    if all(likely & columns for likely in _LIKELY):
        return True
    return len(columns) > 1 and any(_names(column, images) for column in zip_longest(*rows[1:], fillvalue=""))


def _names(column: Sequence[str], images: Collection[str]) -> bool:
    """Whether a column names images: another one in each row."""
    stems = [_stem(cell.strip()) for cell in column if cell.strip()]
    found = sum(stem in images for stem in stems)
    return len(stems) >= _ROWS and len(set(stems)) == len(stems) and found >= _SHARE * len(stems)


def _stem(name: str) -> str:
    """The name of a file without folders and suffix."""
    return PurePosixPath(name.replace("\\", "/").casefold()).stem
