"""What a damaged or hostile archive does wrong ends in one error that names the place."""

import errno
import gzip
import lzma
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safety.words import in_one_line
from stages.lib.core.errors import UserError

# Images hardly shrink in an archive. What unpacks to more than this many times its size is made to fill a disk.
MAX_EXPANSION = 100
# Bytes: below this no expansion is absurd (a blank image shrinks a thousandfold).
HARMLESS = 16 << 20
MOST_MEMBERS = 2_000_000  # of an archive: each takes about a kilobyte of memory
_LONGEST_REASON = 200  # letters
# Bytes of a disk that unpacking leaves free, for what else has to be written.
_LEFT_FREE = 256 << 20

_DAMAGE = (
    # Of memory for what an archive claims, such as a dictionary of 4 GB.
    *(EOFError, ValueError, struct.error, RuntimeError, LookupError, ArithmeticError, MemoryError),
    *(zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError),
)
# bzip2's decoder reports damage as an error of the system without a number; a place before the start is EINVAL.
_DAMAGE_NUMBERS = (None, errno.EINVAL)


@contextmanager
def readable(place: str) -> Iterator[None]:
    """Turn what goes wrong while reading into an error that names the place: an archive, or a member of it.

    Raises:
        UserError: damage, an unknown compression, or no permission. Other errors of the system stay as they are.
    """
    try:
        yield
    except _DAMAGE as error:
        # Some errors tell the whole rest of a damaged archive.
        raise UserError(f"{place}: damaged, or of an unknown kind: {in_one_line(error, _LONGEST_REASON)}") from None
    except PermissionError:
        raise UserError(f"{place}: expected to be allowed to read it") from None
    except OSError as error:
        if error.errno not in _DAMAGE_NUMBERS:
            raise
        raise UserError(f"{place}: damaged: {error}") from None


def check_expansion(place: str, packed: int, unpacked: int) -> None:
    """Refuse what unpacks to more than `HARMLESS` bytes and more than `MAX_EXPANSION` times its size.

    Args:
        place: the archive, or a member of it, for the error.
        packed: bytes in the archive.
        unpacked: bytes after unpacking, as far as known.

    Raises:
        UserError: it does.
    """
    if unpacked > HARMLESS and unpacked > MAX_EXPANSION * packed:
        raise UserError(
            f"{place}: expected at most {MAX_EXPANSION} times its size when unpacked, "
            f"found at least {unpacked:,} bytes in {packed:,}"
        )


def check_members(place: str, count: int) -> None:
    """Refuse an archive of more than `MOST_MEMBERS` files and folders.

    Raises:
        UserError: it has more.
    """
    if count > MOST_MEMBERS:
        raise UserError(f"{place}: expected at most {MOST_MEMBERS:,} files and folders, found more")


def room(folder: Path) -> int:
    """Bytes that may be written to the disk of a folder, so that some are left."""
    return max(0, shutil.disk_usage(folder).free - _LEFT_FREE)


def check_room(place: str, unpacked: int, free: int) -> None:
    """Refuse what unpacks to more bytes than there are free, before the disk is full.

    Args:
        place: the archive, for the error.
        unpacked: bytes after unpacking, as far as known.
        free: as `room` says it.

    Raises:
        UserError: it does.
    """
    if unpacked > free:
        raise UserError(
            f"{place}: unpacks to {unpacked:,} bytes or more, and {free:,} are free on this disk: free some space"
        )
