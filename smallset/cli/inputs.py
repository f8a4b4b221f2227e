"""Which files are images to predict: files, folders, patterns, tables of paths, paths on standard input."""

import glob
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import chain, takewhile
from pathlib import Path

from safety.text import is_utf8
from smallset.cli import lists
from smallset.errors import UserError
from smallset.images.set_aside import is_set_aside, summary
from smallset.tables.targets import identity

STANDARD_INPUT = "-"
LeftOut = Callable[[str, str], None]  # takes a path, and why it is left out
Note = Callable[[str], None]  # takes a line that is told


@dataclass(frozen=True)
class Inputs:
    """Files to predict.

    Attributes:
        paths: in the order of the arguments; of a folder all files inside it, at any depth, sorted.
        total: how many there are, those that turn out to be none included; None where nobody knows.
    """

    paths: Iterable[str]
    total: int | None


def gather(words: Sequence[str], null: bool, targets: Iterable[Path | None], left_out: LeftOut, note: Note) -> Inputs:
    """Find the files that the arguments of the command line mean.

    Args:
        words: files, folders, patterns such as `holiday/**/*.jpg`, tables (.csv, .parquet) with a column `path`, or
            `-` for a path a line on standard input.
        null: paths on standard input end with a null byte.
        targets: what will be written, and must not be one of the images.
        left_out: takes what is no file, as it is met; all others go on.
        note: takes what else is worth a line.

    Raises:
        UserError: nothing is there by such a name, or a table that cannot be read; later, while they are gone through,
            one of the images is a target.
    """
    written = {identity(one) for one in targets if one is not None} - {None}
    parts = [_part(word, null, left_out, note) for word in words]
    for word, part in zip(words, parts, strict=True):
        # A table of paths is none of them, and nobody wants to lose it either.
        _refuse_targets(part.paths if isinstance(part.paths, list) else [word], written)
    counts = [part.total for part in parts]
    total = None if None in counts else sum(count for count in counts if count is not None)
    return Inputs(_files(chain.from_iterable(part.paths for part in parts), written, left_out), total)


def _part(word: str, null: bool, left_out: LeftOut, note: Note) -> Inputs:
    if not word:  # such as of a variable that is not set, which would mean this folder
        raise UserError("expected a path. Received: an empty text")
    if word == STANDARD_INPUT:
        return Inputs(lists.lines(sys.stdin.buffer, b"\0" if null else b"\n"), None)
    mode = _mode(word)
    if mode is not None and stat.S_ISDIR(mode):
        found = _inside(Path(word), left_out, note)
        return Inputs(found, len(found))
    if mode is not None and stat.S_ISREG(mode) and Path(word).suffix.casefold() in lists.TABLES:
        return Inputs(*lists.table(Path(word)))
    if os.path.lexists(word):
        return Inputs([word], 1)
    if found := _matching(word, note):
        return Inputs(found, len(found))
    raise UserError(f"{word}: expected an image or a folder, found nothing")


def _refuse_targets(paths: Iterable[str], written: Set[tuple[int, int] | None]) -> None:
    for path in paths if written else ():
        if identity(path) in written:
            raise UserError(f"{path}: is read, and would be written over: name another file to write")


def _files(paths: Iterable[str], written: Set[tuple[int, int] | None], left_out: LeftOut) -> Iterator[str]:
    """Those of the paths that are files, and none that is written."""
    for path in paths:
        if (reason := _no_file(path)) is not None:
            left_out(path, reason)
            continue
        _refuse_targets([path], written)
        yield path


def _no_file(path: str) -> str | None:
    """Why a path is no file that can be read; a pipe or a device would never end."""
    if not path:
        return "expected a path, found an empty text"
    if not is_utf8(path):
        return "expected the name of a file in UTF-8: rename it"
    try:
        mode = Path(path).stat().st_mode
    except ValueError as error:  # a null byte
        return f"expected a path: {error}"
    except OSError as error:
        return error.strerror or str(error)
    return None if stat.S_ISREG(mode) else "expected a file, found something else"


def _mode(path: str | Path) -> int | None:
    """What lies at a path, through links; None where nothing does."""
    try:
        return Path(path).stat().st_mode
    except (OSError, ValueError):
        return None


def _matching(pattern: str, note: Note) -> list[str]:
    """Files that a pattern means, for a shell that expands none, such as that of Windows, or one in quotes."""
    if not glob.has_magic(pattern):
        return []
    # `Path.glob` takes no pattern that starts at the root.
    found = sorted(one for one in glob.glob(pattern, recursive=True) if not stat.S_ISDIR(_mode(one) or 0))  # noqa: PTH207
    root = Path(*takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts))
    names = {one: Path(one).relative_to(root).as_posix() for one in found}
    _tell_aside(pattern, [name for name in names.values() if is_set_aside(name)], note)
    return [one for one, name in names.items() if not is_set_aside(name)]


def _tell_aside(place: object, names: list[str], note: Note) -> None:
    if names:
        kind = "is no image by its name" if len(names) == 1 else "are no images by their names"
        note(f"{place}: {len(names)} {kind}: {summary(sorted(names))}")


def _inside(folder: Path, left_out: LeftOut, note: Note) -> list[str]:
    """Files inside a folder, through links too, each folder once; what is no image by its name is told and left."""
    found: list[str] = []
    aside: list[str] = []
    waiting, seen = [folder], {identity(folder)}
    while waiting:
        place = waiting.pop()
        try:
            entries = list(place.iterdir())
        except OSError as error:
            left_out(str(place), error.strerror or str(error))
            continue
        for entry in entries:
            name, is_folder = entry.relative_to(folder).as_posix(), stat.S_ISDIR(_mode(entry) or 0)
            if is_set_aside(f"{name}/" if is_folder else name):
                aside.append(f"{name}/" if is_folder else name)
            elif not is_folder:
                found.append(str(entry))
            elif (about := identity(entry)) in seen:
                left_out(str(entry), "is, through a link, a folder that is looked into already")
            else:
                seen.add(about)
                waiting.append(entry)
    _tell_aside(folder, aside, note)
    return sorted(found)
