"""Tars, plain or compressed, whose members can be read in any order."""

import bz2
import gzip
import lzma
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from smallset.images.formats import STARTS_WITH, no_image
from stages.lib.core.damage import check_expansion, check_room, readable, room
from stages.lib.core.errors import UserError

# Beside the project rather than in /tmp, which on many machines is memory.
SCRATCH = Path(".smallset")
_BLOCK = 1 << 20
_TAR_BLOCK = 512
_COMPRESSED: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


@contextmanager
def opened_tar(source: Path) -> Iterator[tarfile.TarFile]:
    """Open a tar; a compressed one is unpacked into a nameless temporary file first.

    Raises:
        UserError: no tar, damaged, or it expands too far.
    """
    with source.open("rb") as file:
        start = file.read(8)
        file.seek(0)
        decoder = next((opening for magic, opening in _COMPRESSED.items() if start.startswith(magic)), None)
        if decoder is None:
            with _as_tar(source, file) as tar:
                yield tar
            return
        SCRATCH.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=SCRATCH) as plain:
            with readable(f"{source}"), decoder(file) as packed:
                _unpack(source, packed, plain)
            with _as_tar(source, plain) as tar:
                yield tar


def check_end(source: Path, tar: tarfile.TarFile) -> None:
    """Refuse a tar that is damaged after a member, which Python takes for its end.

    Args:
        source: of the tar, for the error.
        tar: all of whose members have been listed.

    Raises:
        UserError: no block of zeros follows the last member.
    """
    file, found = tar.fileobj, tar.getmembers()
    assert file is not None
    last = found[-1] if found else None
    content = last.size if last is not None and last.isreg() else 0
    end = 0 if last is None else last.offset_data + -(-content // _TAR_BLOCK) * _TAR_BLOCK
    file.seek(end)
    if file.read(_TAR_BLOCK) != bytes(_TAR_BLOCK):
        name = last.name if last is not None else "its beginning"
        raise UserError(f"{source}: damaged in or after {name}: expected further members or the mark of the end")


def _as_tar(source: Path, file: IO[bytes]) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=file, mode="r:")
    except tarfile.ReadError as error:
        raise UserError(f"{source}: expected a folder, a zip or a tar{_found(file) or f' ({error})'}") from None


def _found(file: IO[bytes]) -> str:
    """What a file is that is no tar, with what to do; empty where nobody knows."""
    file.seek(0)
    what = no_image(file.read(STARTS_WITH)) or ""
    if what.startswith("a web page"):
        # As the address of a page about an archive gives it.
        what = "a web page: name the address of the archive itself"
    return f", found {what}" if what else ""


def _unpack(source: Path, packed: IO[bytes], plain: IO[bytes]) -> None:
    size, total, free = source.stat().st_size, 0, room(SCRATCH)
    while block := packed.read(_BLOCK):
        total += len(block)
        check_expansion(f"{source}", size, total)
        check_room(f"{source}", total, free)
        plain.write(block)
    plain.seek(0)
