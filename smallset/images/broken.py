"""What is said of an image that cannot be read, whatever its decoder says."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from safety.words import in_one_line
from smallset.errors import UserError

# What Pillow's many decoders raise for damaged files; random damage to 13 formats raised nothing else.
_DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    AssertionError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)


class BrokenImage(UserError):
    """A file that cannot be decoded completely; the message is the reason, in a few words, with what to do."""


@contextmanager
def explained() -> Iterator[None]:
    """Decode images in the block.

    Raises:
        BrokenImage: in place of whatever Pillow raises for one that is damaged or too large.
    """
    try:
        yield
    except Image.DecompressionBombError:
        raise BrokenImage("more pixels than any photograph has") from None
    except MemoryError:
        raise BrokenImage("cannot be decoded: takes more memory than its size explains") from None
    except _DAMAGE as error:
        raise BrokenImage(f"cannot be decoded: {in_one_line(error)}") from None
