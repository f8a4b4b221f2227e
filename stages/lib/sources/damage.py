"""What a damaged or hostile archive does wrong ends in one error that names the place."""

import errno
import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from stages.lib.core.errors import UserError

# Pictures hardly shrink in an archive. What unpacks to more than this many times its size is made to fill a disk.
MAX_EXPANSION = 100
# Bytes: below this no expansion is absurd (a blank picture shrinks a thousandfold).
HARMLESS = 16 << 20

_DAMAGE = (
    *(EOFError, ValueError, struct.error, NotImplementedError),
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
        raise UserError(f"{place}: damaged, or of an unknown kind: {error or type(error).__name__}") from None
    except PermissionError:
        raise UserError(f"{place}: expected to be allowed to read it") from None
    except OSError as error:
        if error.errno not in _DAMAGE_NUMBERS:
            raise
        raise UserError(f"{place}: damaged: {error}") from None


def check_expansion(place: str, packed: int, unpacked: int) -> None:
    """Refuse what unpacks to more than `HARMLESS` bytes and more than `MAX_EXPANSION` times its size.

    Args:
        packed: bytes in the archive. unpacked: bytes after unpacking, as far as known.

    Raises:
        UserError: it does.
    """
    if unpacked > HARMLESS and unpacked > MAX_EXPANSION * packed:
        raise UserError(
            f"{place}: expected at most {MAX_EXPANSION} times its size when unpacked, "
            f"found at least {unpacked:,} bytes in {packed:,}"
        )
