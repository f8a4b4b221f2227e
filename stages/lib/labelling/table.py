"""A csv beside the images that says which class each belongs to."""

import csv
import io
import posixpath
import unicodedata
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from safety.words import counted, first_few
from stages.lib.core.errors import UserError
from stages.lib.inventory.strays import Strays
from stages.lib.labelling.layout import Placed
from stages.lib.labelling.names import subset_of

_REQUIRED, _OPTIONAL = ("path", "label"), ("group", "subset")
_AT = "split.labels: "
ENCODING = "utf-8-sig"  # with or without the mark that spreadsheets write


def read_table(archive: zipfile.ZipFile, wanted: str, strays: Strays) -> dict[str, Placed]:
    """Read the labels of images: columns path, label and, if wanted, group and subset.

    Args:
        archive: open, with the csv in it.
        wanted: name of the csv in the archive; without its folders if there is only one of that name.
        strays: whether rows that say something wrong are set aside, with the images of those that contradict each
            other.

    Returns:
        By the name of the image in the archive; the csv's paths are relative to its own folder. What is not there is
        the only file below it that ends so, with or without its suffix: of Kaggle's tables many name files alone.

    Raises:
        UserError: no such csv, no such columns, a row without path or label, of a subset that is none, of a file that
            is not there, or rows that contradict each other.
    """
    name = _find(archive, wanted)
    files = {entry.filename for entry in archive.infolist() if not entry.is_dir()}
    placed: dict[str, Placed] = {}
    ends = _ends(files, f"{PurePosixPath(name).parent}/".removeprefix("./"))
    missing: dict[str, str] = {}
    repeated, completed, contradicted = 0, 0, set()
    for line, given, found in _rows(archive, name, strays):
        others = ends.get(given.casefold(), [])
        path = others[0] if given not in files and len(others) == 1 else given
        completed += path != given
        if path not in files:
            missing[_row(name, line)] = path
        elif placed.setdefault(path, found) is not found:
            if placed[path] != found:
                told = f"{_AT}{name}: line {line}: {path}: {_told(found)}, but {_told(placed[path])} before"
                strays.put(UserError(told), [path])
                contradicted.add(path)
            repeated += 1
    if missing:
        told = (
            f"{_AT}{name}: expected every row's file beside it or below, by its path from there. Received: "
            f"{counted(len(missing), 'row')} without one: {first_few(list(missing.values()), 3)}"
        )
        strays.put(UserError(told), missing)
    if completed:
        named = counted(completed, "row names", "rows name")
        print(
            f"{name}: {named} a file without its folder or suffix, or in another case; there is one each that ends so"
        )
    if repeated:
        print(f"{name}: {counted(repeated, 'row repeats', 'rows repeat')} another")
    return {path: found for path, found in placed.items() if path not in contradicted}


def _row(table: str, line: int) -> str:
    return f"{table}, line {line}"


def _ends(files: Collection[str], start: str) -> dict[str, list[str]]:
    """The files below a folder by what their names end with, from a folder's name on, with and without the suffix."""
    found: dict[str, list[str]] = {}
    for file in sorted(file for file in files if file.startswith(start) and not file.casefold().endswith(".csv")):
        parts = file.removeprefix(start).casefold().split("/")
        for at in range(len(parts)):
            end = "/".join(parts[at:])
            for key in {end, str(PurePosixPath(end).with_suffix(""))}:
                found.setdefault(start.casefold() + key, []).append(file)
    return found


def _find(archive: zipfile.ZipFile, wanted: str) -> str:
    tables = csv_files(archive)
    asked = unicodedata.normalize("NFC", wanted.replace("\\", "/")).removeprefix("./")
    found = [name for name in tables if name == asked] or [name for name in tables if PurePosixPath(name).name == asked]
    if len(found) != 1:
        raise UserError(
            "split.labels: expected a csv in the folder or archive of the images, so that DVC sees when it changes. "
            f"Received: {wanted!r}, which is there {f'{len(found)} times' if found else 'not'}; "
            f"csv files there: {', '.join(found or tables) or 'none'}"
        )
    return found[0]


def csv_files(archive: zipfile.ZipFile) -> list[str]:
    """Names of the csv files of an archive, sorted."""
    return sorted(name for name in archive.namelist() if name.casefold().endswith(".csv"))


def _rows(archive: zipfile.ZipFile, name: str, strays: Strays) -> Iterator[tuple[int, str, Placed]]:
    """The number of the line, the path in the archive and what the row says of it."""
    try:
        text = archive.read(name).decode(ENCODING)
    except UnicodeDecodeError:
        raise UserError(f"{_AT}{name}: expected text in UTF-8, as Excel writes it as 'CSV UTF-8'") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_in(text), strict=True)
    try:
        columns = _columns(name, reader.fieldnames or [])
        for row in reader:
            if not "".join([*(cell or "" for key, cell in row.items() if key), *row.get(None, ())]).strip():
                continue  # as spreadsheets leave them at the end
            where = f"{_AT}{name}: line {reader.line_num}"
            try:
                if None in row or None in row.values():
                    raise UserError(f"{where}: expected {len(reader.fieldnames or [])} fields, as in the first line")
                cells = {key: row[column].strip() for key, column in columns.items()}
                found = _placed(where, cells)
            except UserError as error:
                strays.put(error, [_row(name, reader.line_num)])
            else:
                yield reader.line_num, _path(name, cells["path"]), found
    except csv.Error as error:
        raise UserError(f"{_AT}{name}: line {reader.line_num}: {error}") from None


def delimiter_in(text: str) -> str:
    """What stands between the columns of a table: spreadsheets of many countries put a semicolon there."""
    return max(",;\t", key=text.partition("\n")[0].count)


def _columns(name: str, found: Sequence[str]) -> dict[str, str]:
    named = [column for column in found if column.strip()]
    columns = {_plain(column): column for column in named}
    if not set(_REQUIRED) <= set(columns) or len(columns) < len(named):
        raise UserError(
            f"{_AT}{name}: expected the columns path,label[,group][,subset], each once. "
            f"Received: {','.join(found)[:200] or 'an empty file'}"
        )
    unknown = [column for key, column in columns.items() if key not in _REQUIRED + _OPTIONAL]
    if unknown:
        print(f"{name}: columns that say nothing here: {', '.join(unknown)}")
    return {key: columns[key] for key in _REQUIRED + _OPTIONAL if key in columns}


def _plain(column: str) -> str:
    return column.strip().casefold()


def _path(table: str, path: str) -> str:
    # One that leads out of the archive begins with `..` then, or with `/`, as no name in it does.
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(table), path.replace("\\", "/")))
    return unicodedata.normalize("NFC", whole)


def _placed(where: str, cells: Mapping[str, str]) -> Placed:
    for key in _REQUIRED:
        if not cells[key]:
            raise UserError(f"{where}: expected a {key}, found none")
    subset = cells.get("subset", "")
    if subset and subset_of(subset) is None:
        raise UserError(f"{where}: subset: expected train, validation or test, or nothing. Received: {subset!r}")
    return Placed(cells["label"], subset_of(subset) if subset else None, cells.get("group", ""))


def _told(placed: Placed) -> str:
    return ", ".join(filter(None, (placed.label, placed.group, placed.subset)))
