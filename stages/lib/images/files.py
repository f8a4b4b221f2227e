"""Files of pictures opened with suspicion: of a format that holds pixels, and no larger than memory allows."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock

from PIL import Image, ImageFile, UnidentifiedImageError

from stages.lib.core.errors import UserError
from stages.lib.images import heif

# What decoding takes in memory is bounded, 2 GB at the very most (measured: four threads, the largest picture of each
# kind), however many threads decode. A phone's photograph of 200 million pixels takes 30 MB, for it is decoded small.
MOST_BYTES = 1 << 30  # of a file
# Pixels of a JPEG, which is decoded at an eighth of its size if need be; phones make them of 200 million.
MOST_PIXELS_JPEG = 500_000_000
# Of a progressive JPEG, whose coefficients are all in memory, 2 bytes each, whatever the size it is decoded at.
MOST_PIXELS_PROGRESSIVE = 200_000_000
# Of any other picture, and of what a JPEG is decoded to: 4 bytes each, and twice that while it changes its mode.
MOST_PIXELS = 100_000_000
# Of numbers of 32 bits, which are copied once more.
MOST_PIXELS_OF_32_BITS = 50_000_000
_ALONE = 1 << 24  # pixels: from here on one picture is decoded at a time
# Drawing instructions, or what Pillow recognises and hands to another program.
_NO_PIXELS = ("EPS", "WMF", "MPEG", "GRIB", "BUFR", "HDF5")
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
_one_at_a_time = Lock()

# Pillow's own limit is one for all formats; here it only guards pictures inside of pictures.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS_JPEG
heif.register()


class BrokenPicture(UserError):
    """A file that cannot be decoded completely; the message is the reason, in a few words, with what to do."""


@contextmanager
def opened(source: Path | bytes) -> Iterator[ImageFile.ImageFile]:
    """Open a picture from a file or from its bytes; of several in one file the first, or the one that it names.

    Raises:
        BrokenPicture: also for what goes wrong while the caller decodes it inside the block.
    """
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > MOST_BYTES:
            raise BrokenPicture(f"{size / 1e9:.1f} GB, expected at most {MOST_BYTES / 1e9:.1f}: save it smaller")
        # Never by its path: Pillow then maps an uncompressed TIFF, which garbles one that lies on its side.
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file, Image.open(file) as image:
            _check(image)
            yield image
    except UnidentifiedImageError:
        raise BrokenPicture("not a picture, or of an unknown format") from None
    except Image.DecompressionBombError:
        raise BrokenPicture("more pixels than any photograph has") from None
    except _DAMAGE as error:
        raise BrokenPicture(f"cannot be decoded: {error or type(error).__name__}") from None


@contextmanager
def turn_of(image: Image.Image, declared: int) -> Iterator[bool]:
    """Wait until an open picture may be decoded: large ones one at a time, so that their memory does not add up.

    Args:
        declared: pixels of the whole picture, of which a JPEG is decoded to fewer.

    Yields:
        Whether it is one of the large ones.

    Raises:
        BrokenPicture: it is decoded to more pixels than fit in memory.
    """
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise _too_large(pixels, MOST_PIXELS, "a whole picture")
    held = declared if "progressive" in image.info else pixels
    with _one_at_a_time if held > _ALONE else nullcontext():
        yield held > _ALONE


def _check(image: Image.Image) -> None:
    if image.format in _NO_PIXELS:
        raise BrokenPicture(f"{image.format} has drawing instructions or other data, not pixels: save it as PNG")
    pixels = image.width * image.height
    if image.format not in ("JPEG", "MPO"):
        most, kind = MOST_PIXELS, str(image.format)
        if image.mode in ("I", "F"):
            most, kind = MOST_PIXELS_OF_32_BITS, "32 bits each"
    elif "progressive" in image.info:
        most, kind = MOST_PIXELS_PROGRESSIVE, "a progressive JPEG"
    else:
        most, kind = MOST_PIXELS_JPEG, "a JPEG"
    if pixels > most:
        raise _too_large(pixels, most, kind)


def _too_large(pixels: int, most: int, kind: str) -> BrokenPicture:
    return BrokenPicture(
        f"{pixels / 1e6:.0f} megapixels, more pixels than the {most / 1e6:.0f} million of {kind} that fit in memory: "
        "save it smaller, or as a baseline JPEG"
    )
