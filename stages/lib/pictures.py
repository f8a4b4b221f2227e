"""One way to read a picture, the same for training, evaluation and prediction."""

import io
import struct
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from stages.lib.errors import UserError
from stages.lib.params import Color

CHANNELS = {"rgb": 3, "grey": 1}
# Decoding releases the interpreter's lock; more threads than this only wait for each other.
DECODING_THREADS = 4
# Values of EXIF's orientation that exchange width and height.
_ON_ITS_SIDE = (5, 6, 7, 8)
# What Pillow's many decoders raise for damaged files; random damage to 16 formats raised nothing else.
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, IndexError, MemoryError, RuntimeError, struct.error)


class BrokenPicture(UserError):
    """A file that cannot be decoded completely; the message is the reason, in a few words."""


@contextmanager
def opened(source: Path | bytes) -> Iterator[Image.Image]:
    """Open a picture from a file or from its bytes.

    Raises:
        BrokenPicture: also for what goes wrong while the caller decodes it inside the block.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
                yield image
    except UnidentifiedImageError:
        raise BrokenPicture("not a picture, or of an unknown format") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BrokenPicture("more pixels than any photograph has") from None
    except _DAMAGE as error:
        raise BrokenPicture(f"cannot be decoded: {error or type(error).__name__}") from None


def decode(source: Path | bytes, size: int | None = None, color: Color = "rgb") -> np.ndarray:
    """Decode a picture completely, turned upright, transparent parts on white.

    Args:
        source: a file, or its bytes.
        size: height and width in pixels to resize to, the aspect ratio not kept; None keeps the picture's own.
        color: "rgb" or "grey".

    Returns:
        uint8 (height, width, 3), or (height, width, 1) if grey, in [0, 255].

    Raises:
        BrokenPicture: the file is not a picture or ends too early.
    """
    picture = upright(source, color, None if size is None else 2 * size)
    if size is not None and picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BILINEAR)
    array = np.asarray(picture)
    return array if color == "rgb" else array[..., np.newaxis]


def upright(source: Path | bytes, color: Color = "rgb", enough: int | None = None) -> Image.Image:
    """The same as `decode`, as Pillow's image at the size that the decoder gives.

    Args:
        enough: pixels; of a JPEG with more than twice as many on both sides the decoder leaves out detail, down to so
            many. It still reads the whole file, in less time and memory. None keeps the picture's own size.

    Raises:
        BrokenPicture: the file is not a picture or ends too early.
    """
    mode = "RGB" if color == "rgb" else "L"
    with opened(source) as image:
        if enough is not None:
            image.draft(mode, (enough, enough))
        picture = _opaque(image)
        # In place, and nothing converted to what it is already: each copy of a photograph takes 100 MB and more.
        ImageOps.exif_transpose(picture, in_place=True)
        return picture if picture.mode == mode else picture.convert(mode)


def size_of(source: Path | bytes) -> tuple[int, int]:
    """Width and height in pixels of a picture turned upright; nothing is decoded.

    Raises:
        BrokenPicture: the file is not a picture.
    """
    with opened(source) as image:
        width, height = image.size
        turned = image.getexif().get(ExifTags.Base.Orientation) in _ON_ITS_SIDE
        return (height, width) if turned else (width, height)


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        picture = image.convert("RGBA")
        background = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(background, picture)
    return image


def stream(
    paths: Sequence[Path], size: int, color: Color, batch_size: int, broken: dict[Path, str] | None = None
) -> Iterator[np.ndarray]:
    """Decode pictures batch by batch, one batch ahead of the one in use; memory does not grow with their number.

    Args:
        broken: takes the files that cannot be decoded, and why; they are left out. None: one is an error.

    Yields:
        uint8 (batch, size, size, channels) in [0, 255], in the order of `paths`; some batches may be smaller.

    Raises:
        BrokenPicture: one of the files cannot be decoded; its name comes first.
    """
    read = decode_named if broken is None else decode

    def submit(start: int) -> list[tuple[Path, Future[np.ndarray]]]:
        chunk = paths[start : start + batch_size]
        return [(path, pool.submit(read, path, size, color)) for path in chunk]

    with ThreadPoolExecutor(DECODING_THREADS) as pool:
        coming = submit(0)
        for start in range(0, len(paths), batch_size):
            batch, coming = coming, submit(start + batch_size)
            pictures = []
            for path, picture in batch:
                try:
                    pictures.append(picture.result())
                except BrokenPicture as error:
                    if broken is None:
                        raise
                    broken[path] = str(error)
            if pictures:
                yield np.stack(pictures)


def decode_named(path: Path, size: int, color: Color) -> np.ndarray:
    """`decode`, whose error names the file."""
    try:
        return decode(path, size, color)
    except BrokenPicture as error:
        raise BrokenPicture(f"{path}: {error}") from None
