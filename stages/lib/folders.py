"""A user's own folder, walked with its links followed."""

from collections.abc import Iterator
from pathlib import Path

from stages.lib.damage import readable
from stages.lib.errors import UserError
from stages.lib.set_aside import is_left_over


def walk(folder: Path, problems: dict[str, str] | None = None) -> Iterator[tuple[str, Path]]:
    """Everything below a folder: the name relative to it, `/` between folders and at the end of a folder's; the path.

    Links are followed, for the folder is the user's own, but not inside what systems leave (`set_aside.is_left_over`),
    of which nothing is needed.

    Args:
        problems: where given, it takes what would else be an error, by the name, before that is yielded; no file below
            it is.

    Raises:
        UserError: a folder that is reached twice, so that its pictures would count twice or a class be lost; a broken
            link or a device; no permission.
    """
    waiting, links, seen = [("", folder)], list[tuple[str, Path]](), {_identity(folder): "the folder itself"}
    while waiting or links:
        # Links last: what they lead to keeps its own name.
        is_link = not waiting
        start, place = links.pop(0) if is_link else waiting.pop()
        if is_link:
            other = seen.setdefault(_identity(place), start)
            if other != start:
                _refuse(folder, start, f"is, through a link, {other}: expected each folder once", problems)
            yield start, place
            if other != start:
                continue
        try:
            entries = _entries(start, place)
        except UserError:
            if problems is None or not start:
                raise
            problems[start] = "expected to be allowed to read it"
            yield start, place
            continue
        for entry in entries:
            name = start + entry.name
            if entry.is_dir():
                name += "/"
                if entry.is_symlink():
                    links += [] if is_left_over(name) else [(name, entry)]
                    continue
                if not is_left_over(name):
                    seen[_identity(entry)] = name
                waiting.append((name, entry))
            elif not entry.is_file():
                if is_left_over(name):
                    continue
                _refuse(folder, name, "expected a file or a folder, found a broken link or a device", problems)
            yield name, entry


def _refuse(folder: Path, name: str, why: str, problems: dict[str, str] | None) -> None:
    if problems is None:
        raise UserError(f"{folder}: {name}{'' if why.startswith('is') else ':'} {why}")
    problems[name] = why


def _entries(name: str, place: Path) -> list[Path]:
    with readable(f"{place}"):
        try:
            return sorted(place.iterdir())
        except PermissionError:
            # Such as `lost+found`, which is the system's alone.
            if is_left_over(name):
                return []
            raise


def _identity(folder: Path) -> tuple[int, int]:
    about = folder.stat()
    return about.st_dev, about.st_ino
