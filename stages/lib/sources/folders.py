"""A folder of images, which may be a stranger's that somebody has unpacked: walked and read with suspicion."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from stages.lib.core.damage import readable
from stages.lib.core.errors import UserError
from stages.lib.images.set_aside import is_left_over

_CHANGED = "changed while it was read: wait until nothing writes there, run again"
if sys.platform == "win32":
    # Bytes as they are. Nothing blocks there, and `_Walk` has told links from files.
    _READ, _NO_LINK = os.O_BINARY, 0
else:
    # Not blocking: a pipe that lies there now would never end.
    _READ, _NO_LINK = os.O_NONBLOCK | os.O_CLOEXEC, os.O_NOFOLLOW
MOST = 20_000_000  # files and folders: no list of more fits the memory that a run has


class Changed(UserError):
    """A folder is written to while it is read."""


class Gone(UserError):
    """A file that was there is not there any more."""


def walk(folder: Path, anywhere: bool = False, problems: dict[str, str] | None = None) -> Iterator[tuple[str, Path]]:
    """Everything below a folder: the name relative to it, `/` between folders and at the end of a folder's; the path.

    A link is followed where it leads to something inside the folder, but not inside what systems leave
    (`set_aside.is_left_over`), of which nothing is needed.

    Args:
        folder: to begin with.
        anywhere: follow links out of the folder too.
        problems: where given, it takes what would else be an error, by the name, before that is yielded; no file below
            it is.

    Raises:
        UserError: a link that leads out of the folder, where a stranger's would have other files of this machine read;
            a folder that is reached twice, so that its images would count twice or a class be lost; a broken link or
            a device; too many entries; no permission.
    """
    yield from _Walk(folder, anywhere, problems).run()


class _Walk:
    """One walk: the folders that wait, and the links, which come last, so that what they lead to keeps its own name."""

    def __init__(self, folder: Path, anywhere: bool, problems: dict[str, str] | None) -> None:
        self.folder, self.anywhere, self.problems = folder, anywhere, problems
        self.root, self.count = folder.resolve(), 0
        self.waiting, self.links = [("", folder)], list[tuple[str, Path]]()
        self.seen = {_identity(folder): "the folder itself"}

    def run(self) -> Iterator[tuple[str, Path]]:
        while self.waiting or self.links:
            if self.waiting:
                start, place = self.waiting.pop()
            else:
                start, place = self.links.pop(0)
                is_new = self._is_new(start, place)
                yield start, place
                if not is_new:
                    continue
            try:
                entries = _entries(start, place)
            except UserError as error:
                if self.problems is None or not start:
                    raise
                is_long = str(error).endswith("too long")
                self.problems[start] = "the path is too long" if is_long else "expected to be allowed to read it"
                yield start, place
                continue
            self.count += len(entries)
            if self.count > MOST:
                raise UserError(f"{self.folder}: expected at most {MOST:,} files and folders")
            for entry in entries:
                mode = _mode(entry)
                name = f"{start}{entry.name}/" if stat.S_ISDIR(mode) else start + entry.name
                if self._takes_left_over(name, entry, mode) if is_left_over(name) else self._takes(name, entry, mode):
                    yield name, entry

    def _takes(self, name: str, entry: Path, mode: int) -> bool:
        """Whether an entry is told now; a link to a folder is told when its turn comes."""
        is_folder = stat.S_ISDIR(mode)
        if entry.is_symlink() and not self.anywhere and (outside := _outside(self.root, entry)):
            self._refuse(name, outside)
        elif is_folder and entry.is_symlink():
            self.links.append((name, entry))
            return False
        elif is_folder:
            # Inside a linked folder too: another link may have led here before.
            if self._is_new(name, entry):
                self.waiting.append((name, entry))
        elif not stat.S_ISREG(mode):
            self._refuse(name, "expected a file or a folder, found a broken link or a device")
        return True

    def _takes_left_over(self, name: str, entry: Path, mode: int) -> bool:
        if not stat.S_ISDIR(mode):
            return stat.S_ISREG(mode)
        if entry.is_symlink():
            return False
        self.waiting.append((name, entry))
        return True

    def _is_new(self, name: str, link: Path) -> bool:
        other = self.seen.setdefault(_identity(link), name)
        if other != name:
            self._refuse(name, f"is, through a link, {other}: expected each folder once")
        return other == name

    def _refuse(self, name: str, why: str) -> None:
        if self.problems is None:
            raise UserError(f"{self.folder}: {name}{'' if why.startswith('is') else ':'} {why}")
        self.problems[name] = why


@contextmanager
def unchanged(folder: Path, name: str, path: Path, anywhere: bool = False) -> Iterator[IO[bytes]]:
    """Open a file that `walk` has found, and see to it that it is the same file, as it was, until it is closed.

    Args:
        folder: that was walked.
        name: of the file, relative to it.
        path: of the file.
        anywhere: as of `walk`.

    Raises:
        UserError: something else lies there now, or it was written while it was read.
    """
    if path.is_symlink():
        if not anywhere:
            _require_inside(folder, folder.resolve(), name, path)
        follow = 0
    else:
        follow = _NO_LINK
    try:
        number = os.open(path, os.O_RDONLY | _READ | follow)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOENT, errno.ENXIO):
            raise
        raise (Gone if error.errno == errno.ENOENT else Changed)(f"{folder}: {name}: {_CHANGED}") from None
    with os.fdopen(number, "rb") as file:
        before = os.fstat(number)
        if not stat.S_ISREG(before.st_mode):
            raise Changed(f"{folder}: {name}: {_CHANGED}")
        yield file
        after = os.fstat(number)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise Changed(f"{folder}: {name}: {_CHANGED}")


def _require_inside(folder: Path, root: Path, name: str, link: Path) -> None:
    if outside := _outside(root, link):
        raise UserError(f"{folder}: {name}: {outside}")


def _outside(root: Path, link: Path) -> str | None:
    """What to say of a link that leads out of a folder; None of any other, also where it is broken or in a circle."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    if target.is_relative_to(root):
        return None
    return (
        f"a link that leads out of the folder, to {target}: expected the file or folder itself; "
        "where these links are your own, download.links: anywhere takes them"
    )


def _entries(name: str, place: Path) -> list[Path]:
    with readable(f"{place}"):
        try:
            found = sorted(place.iterdir())
            # Whether a path is too long shows when it is used.
            longest = max(found, key=lambda entry: len(entry.name), default=place)
            with suppress(FileNotFoundError):
                longest.lstat()
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


def _mode(entry: Path) -> int:
    """What an entry is, links followed; 0 where there is nothing or the system does not follow."""
    try:
        return entry.stat().st_mode
    except OSError:
        return 0


def _identity(folder: Path) -> tuple[int, int]:
    about = folder.stat()
    return about.st_dev, about.st_ino
