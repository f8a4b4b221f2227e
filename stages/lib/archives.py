"""Folders, zips and tars of pictures: read with suspicion, written so that equal content gives equal bytes."""

import io
import re
import shutil
import stat
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from stages.lib.damage import check_expansion, readable
from stages.lib.errors import UserError
from stages.lib.outputs import whole_file
from stages.lib.progress import counted
from stages.lib.tars import check_end, opened_tar

_EPOCH = (1980, 1, 1, 0, 0, 0)
_LONGEST_NAME = 255  # bytes: of a file or folder, on every usual file system
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED = 0x1
_UNIX = 3


@dataclass(frozen=True)
class Member:
    """One file. name: `/` between folders, in Unicode's composed form. source: where it is from, for errors."""

    name: str
    source: str
    opening: Callable[[], Any]

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open for reading.

        Raises:
            UserError: it is damaged, which may show only while it is read.
        """
        with readable(f"{self.source}: {self.name}"), self.opening() as file:
            yield file

    def read(self) -> bytes:
        """The whole content."""
        with self.opened() as file:
            return file.read()


def in_memory(name: str, content: Callable[[], bytes]) -> Member:
    """A member whose content is made when it is read."""
    return Member(name, "made", lambda: io.BytesIO(content()))


@contextmanager
def members(source: Path) -> Iterator[list[Member]]:
    """Yield the files of a folder, a zip or a tar (plain, gzip, bzip2 or xz), sorted by name; nothing is unpacked yet.

    Raises:
        UserError: no such source, or none of these kinds; or, naming the member, an absolute name, `..`, a link or
            a device in an archive, a name twice, encryption, damage, or more expansion than pictures have
            (`damage.check_expansion`).
    """
    if source.is_dir():
        yield _ordered(source, _in_folder(source))
        return
    if not source.is_file():
        found = "something else" if source.exists() else "nothing"
        raise UserError(f"{source}: expected a folder, a zip or a tar, found {found}")
    with readable(str(source)), source.open("rb") as file:
        is_zip = file.read(4) in _ZIP_STARTS
    if is_zip:
        with readable(str(source)):
            archive = zipfile.ZipFile(source)
        with archive:
            yield _ordered(source, _in_zip(source, archive))
    else:
        with opened_tar(source) as tar:
            yield _ordered(source, _in_tar(source, tar))


def write_zip(archive: Path, content: Iterable[Member], title: str) -> None:
    """Write one zip: entries stored as they are, sorted by name, same date and permissions; memory stays bounded.

    Args:
        title: what the progress is called.
    """
    entries = sorted(content, key=lambda member: member.name)
    with whole_file(archive) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as target:
        for member in counted(entries, title, len(entries)):
            info = zipfile.ZipInfo(member.name, _EPOCH)
            info.create_system = _UNIX
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            with member.opened() as read, target.open(info, "w", force_zip64=True) as write:
                shutil.copyfileobj(read, write, 1 << 20)


def is_set_aside(name: str) -> bool:
    """Whether a file is no picture by its name: hidden, left by a desktop, a README, or a note of DVC."""
    parts = name.split("/")
    file = parts[-1].casefold()
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    known = file in ("thumbs.db", "desktop.ini") or file.split(".")[0] == "readme" or file.endswith(".dvc")
    return hidden or known


def _ordered(source: Path, found: Iterable[Member]) -> list[Member]:
    """Sort by name, refuse an empty name and one that comes twice."""
    ordered = sorted(found, key=lambda member: member.name)
    if ordered and not ordered[0].name:
        raise UserError(f"{source}: expected each file to have a name, found one without")
    for first, second in pairwise(ordered):
        if first.name == second.name:
            raise UserError(f"{source}: {first.name}: expected each name once, found it twice")
    return ordered


def _safe_name(source: Path, raw: str) -> str:
    """The name with `/` between folders; refuses one that leads outside, or that not every file system takes."""
    name = unicodedata.normalize("NFC", raw.replace("\\", "/"))
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or re.match("[A-Za-z]:/", name):
        raise UserError(f"{source}: {raw!r}: expected a relative name, found an absolute one")
    if ".." in parts:
        raise UserError(f"{source}: {raw!r}: expected a name inside the archive, found one that leads outside")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in name):
        raise UserError(f"{source}: {raw!r}: expected a name in UTF-8 without control characters")
    if any(len(part.encode()) > _LONGEST_NAME for part in parts):
        raise UserError(f"{source}: {raw[:40]!r}...: expected names of at most {_LONGEST_NAME} bytes")
    return "/".join(parts)


def _in_zip(source: Path, archive: zipfile.ZipFile) -> Iterator[Member]:
    unpacked = sum(info.file_size for info in archive.infolist())
    check_expansion(f"{source}", source.stat().st_size, unpacked)
    for info in archive.infolist():
        name = _safe_name(source, info.filename)
        if info.is_dir():
            continue
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise UserError(f"{source}: {name}: expected a file, found a link or a device")
        if info.flag_bits & _ENCRYPTED:
            raise UserError(f"{source}: {name}: expected no encryption; unpack it with its password first")
        check_expansion(f"{source}: {name}", info.compress_size, info.file_size)
        yield Member(name, f"{source}", partial(archive.open, info))


def _in_tar(source: Path, tar: tarfile.TarFile) -> Iterator[Member]:
    with readable(f"{source}"):
        found = tar.getmembers()
    for info in found:
        name = _safe_name(source, info.name)
        if info.isdir():
            continue
        if not info.isreg() or info.issparse():
            raise UserError(f"{source}: {name}: expected a file, found a link, a device or a file with holes")
        yield Member(name, f"{source}", partial(tar.extractfile, info))
    check_end(source, tar)


def _in_folder(folder: Path) -> Iterator[Member]:
    """Every file below; links are followed, for the folder is the user's own, but never in a circle."""
    waiting, seen = [folder], set()
    while waiting:
        place = waiting.pop()
        identity = (place.stat().st_dev, place.stat().st_ino)
        if identity in seen:
            continue
        seen.add(identity)
        with readable(f"{place}"):
            entries = sorted(place.iterdir())
        for entry in entries:
            name = _safe_name(folder, entry.relative_to(folder).as_posix())
            if entry.is_dir():
                waiting.append(entry)
            elif entry.is_file():
                yield Member(name, f"{folder}", partial(entry.open, "rb"))
            else:
                raise UserError(f"{folder}: {name}: expected a file or a folder, found a broken link or a device")
