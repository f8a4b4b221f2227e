"""A user's own folder, walked with its links followed."""

from collections.abc import Iterator
from pathlib import Path

from stages.lib.core.errors import UserError
from stages.lib.images.set_aside import is_left_over
from stages.lib.sources.damage import readable


def walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Everything below a folder: the name relative to it, `/` between folders and at the end of a folder's; the path.

    Links are followed, for the folder is the user's own, but not inside what systems leave (`set_aside.is_left_over`),
    of which nothing is needed.

    Raises:
        UserError: a folder that is reached twice, so that its pictures would count twice or a class be lost; a broken
            link or a device; no permission.
    """
    waiting, seen = [("", folder)], {_identity(folder): "the folder itself"}
    while waiting:
        start, place = waiting.pop()
        for entry in _entries(start, place):
            name = start + entry.name
            if entry.is_dir():
                name += "/"
                if not is_left_over(name):
                    if (other := seen.setdefault(_identity(entry), name)) != name:
                        raise UserError(f"{folder}: {name} is, through a link, {other}: expected each folder once")
                elif entry.is_symlink():
                    continue
                waiting.append((name, entry))
            elif not entry.is_file() and not is_left_over(name):
                raise UserError(f"{folder}: {name}: expected a file or a folder, found a broken link or a device")
            if entry.is_dir() or entry.is_file():
                yield name, entry


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
