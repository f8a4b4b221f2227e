"""A folder of pictures, which may be a stranger's that somebody has unpacked: walked and read with suspicion."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from stages.lib.damage import readable
from stages.lib.errors import UserError
from stages.lib.set_aside import is_left_over

_CHANGED = "changed while it was read: wait until nothing writes there, run again"
MOST = 20_000_000  # files and folders: no list of more fits the memory that a run has


def walk(folder: Path, anywhere: bool = False) -> Iterator[tuple[str, Path]]:
    """Everything below a folder: the name relative to it, `/` between folders and at the end of a folder's; the path.

    A link is followed where it leads to something inside the folder, but not inside what systems leave
    (`set_aside.is_left_over`), of which nothing is needed.

    Args:
        anywhere: follow links out of the folder too.

    Raises:
        UserError: a link that leads out of the folder, where a stranger's would have other files of this machine read;
            a folder that is reached twice, so that its pictures would count twice or a class be lost; a broken link or
            a device; too many entries; no permission.
    """
    root, count = folder.resolve(), 0
    waiting, seen = [("", folder)], {_identity(folder): "the folder itself"}
    while waiting:
        start, place = waiting.pop()
        for entry in _entries(start, place):
            count += 1
            if count > MOST:
                raise UserError(f"{folder}: expected at most {MOST:,} files and folders")
            name = start + entry.name
            is_folder = entry.is_dir()
            left_over = is_left_over(f"{name}/" if is_folder else name)
            if entry.is_symlink() and not left_over and not anywhere:
                _require_inside(folder, root, name, entry)
            if is_folder:
                name += "/"
                if not left_over:
                    if (other := seen.setdefault(_identity(entry), name)) != name:
                        raise UserError(f"{folder}: {name} is, through a link, {other}: expected each folder once")
                elif entry.is_symlink():
                    continue
                waiting.append((name, entry))
            elif not entry.is_file() and not left_over:
                raise UserError(f"{folder}: {name}: expected a file or a folder, found a broken link or a device")
            if is_folder or entry.is_file():
                yield name, entry


@contextmanager
def unchanged(folder: Path, name: str, path: Path, anywhere: bool = False) -> Iterator[IO[bytes]]:
    """Open a file that `walk` has found, and see to it that it is the same file, as it was, until it is closed.

    Raises:
        UserError: something else lies there now, or it was written while it was read.
    """
    if path.is_symlink():
        if not anywhere:
            _require_inside(folder, folder.resolve(), name, path)
        follow = 0
    else:
        follow = os.O_NOFOLLOW
    try:
        # Not blocking: a pipe that lies there now would never end.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | follow)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOENT, errno.ENXIO):
            raise
        raise UserError(f"{folder}: {name}: {_CHANGED}") from None
    with os.fdopen(number, "rb") as file:
        before = os.fstat(number)
        if not stat.S_ISREG(before.st_mode):
            raise UserError(f"{folder}: {name}: {_CHANGED}")
        yield file
        after = os.fstat(number)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise UserError(f"{folder}: {name}: {_CHANGED}")


def _require_inside(folder: Path, root: Path, name: str, link: Path) -> None:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        # Broken, or in a circle: told as such.
        return
    if not target.is_relative_to(root):
        raise UserError(
            f"{folder}: {name}: a link that leads out of the folder, to {target}: expected the file or folder itself; "
            "where these links are your own, download.links: anywhere takes them"
        )


def _entries(name: str, place: Path) -> list[Path]:
    with readable(f"{place}"):
        try:
            found = sorted(place.iterdir())
            # Whether a path is too long shows when it is used.
            longest = max(found, key=lambda entry: len(entry.name), default=place)
            longest.is_dir()
        except PermissionError:
            # Such as `lost+found`, which is the system's alone.
            if is_left_over(name):
                return []
            raise
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            shown = f"{name[:100]}..."
            raise UserError(f"{shown}: expected folders that are less deep: the path is too long") from None
        return found


def _identity(folder: Path) -> tuple[int, int]:
    about = folder.stat()
    return about.st_dev, about.st_ino
