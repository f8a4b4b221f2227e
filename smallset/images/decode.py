"""One way to read an image, the same for training, evaluation and prediction."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import ExifTags, Image, ImageOps

from smallset.images import color_profiles
from smallset.images.choices import Color
from smallset.images.files import opened, turn_of
from smallset.images.resizing import STRETCH, Resizing
from smallset.images.values import as_mode, check_numbers, loses_bits, reduced

CHANNELS = {"rgb": 3, "grey": 1}
MODES: Mapping[Color, Literal["RGB", "L"]] = {"rgb": "RGB", "grey": "L"}
# Decoding releases the interpreter's lock; more threads than this only wait for each other.
DECODING_THREADS = 4
# All of them average over what falls into one pixel where an image gets smaller. A box does that for "nearest", and
# gives the nearest pixel where it gets larger.
_FILTERS = {
    "nearest": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos3": Image.Resampling.LANCZOS,
}
# Values of EXIF's orientation that exchange width and height.
_ON_ITS_SIDE = (5, 6, 7, 8)


def decode(
    source: Path | bytes, size: int | None = None, color: Color = "rgb", resizing: Resizing = STRETCH
) -> np.ndarray:
    """Decode an image completely, turned upright, transparent parts on white.

    Args:
        source: a file, or its bytes.
        size: height and width in pixels to resize to; None keeps the image's own.
        color: "rgb" or "grey".
        resizing: how it gets its size.

    Returns:
        uint8 (height, width, 3), or (height, width, 1) if grey, in [0, 255].

    Raises:
        BrokenImage: the file is not an image, ends too early or is too large.

    Example:
        >>> from pathlib import Path
        >>> pixels = decode(Path("data/dataset/test/cat/0.png"), size=32)
        >>> pixels.shape, pixels.dtype
        ((32, 32, 3), dtype('uint8'))
    """
    image = upright(source, color, None if size is None else 2 * size)
    return pixels_of(image, size, color, resizing)


def pixels_of(image: Image.Image, size: int | None, color: Color, resizing: Resizing) -> np.ndarray:
    """What `decode` gives of an image that is upright and of the mode of the colour."""
    array = np.asarray(image if size is None else resized(image, size, resizing))
    return array if color == "rgb" else array[..., np.newaxis]


def upright(source: Path | bytes, color: Color = "rgb", enough: int | None = None) -> Image.Image:
    """The same as `decode`, as Pillow's image at the size that the decoder gives.

    Colours are those of sRGB; more than 8 bits a channel become 8 as `grey_range` says; of an animation, a sequence or
    a file of several pages it is the first image, or the one that the file names as its main one.

    Args:
        source: as of `decode`.
        color: likewise.
        enough: pixels; of a JPEG with more than twice as many on both sides the decoder leaves out detail, down to so
            many. It still reads the whole file, in less time and memory. So does, right after it is decoded, any other
            image that is large for memory. None keeps the image's own size.

    Raises:
        BrokenImage: the file is not an image, ends too early or is too large.
    """
    mode = MODES[color]
    with opened(source) as image:
        check_numbers(image)
        declared = image.width * image.height
        if enough is not None:
            # The grey of a JPEG is what its decoder finds fastest, but in the colours of the file.
            other_colors = color_profiles.conversion_of(image.mode, image.info.get("icc_profile")) is not None
            image.draft("RGB" if other_colors else mode, (enough, enough))
        lost_bits = loses_bits(image)
        with turn_of(image, declared) as is_large:
            _load(image)
            if not is_large or enough is None:
                return _upright(image, mode, lost_bits)
            small = reduced(_upright(reduced(image, enough), mode, lost_bits), enough)
            if small is not image:
                image.close()  # before it is the turn of the next large one
            return small


def _load(image: Image.Image) -> None:
    """Decode an open image, whose budget of memory is that of the size it gives.

    Raises:
        ValueError: it is decoded to another size.
    """
    size = image.size
    image.load()
    if image.size != size:
        raise ValueError(f"it says {size[0]} x {size[1]} pixels and has {image.width} x {image.height}")


def _upright(image: Image.Image, mode: Literal["RGB", "L"], lost_bits: bool) -> Image.Image:
    # In place, and nothing converted to what it is already: each copy of a photograph takes 100 MB and more.
    ImageOps.exif_transpose(image, in_place=True)
    return as_mode(image, mode, lost_bits)


def resized(image: Image.Image, size: int, resizing: Resizing) -> Image.Image:
    """Bring an image of 8 bits a channel to `size` x `size` pixels; one that has them stays as it is.

    Args:
        image: of 8 bits a channel.
        size: height and width in pixels.
        resizing: how it becomes a square.
    """
    width, height = image.size
    if (width, height) == (size, size):
        return image
    resampling = _FILTERS[resizing.interpolation]
    if resizing.mode == "pad":
        # Afterwards rather than before, as Keras does: the square around a very long image would not fit in memory.
        longer = max(width, height)
        inner = (max(1, round(size * width / longer)), max(1, round(size * height / longer)))
        square = Image.new(image.mode, (size, size))
        square.paste(image.resize(inner, resampling), ((size - inner[0]) // 2, (size - inner[1]) // 2))
        return square
    if resizing.mode == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    return image.resize((size, size), resampling)


def size_of(source: Path | bytes) -> tuple[int, int]:
    """Width and height in pixels of an image turned upright; nothing is decoded.

    Raises:
        BrokenImage: the file is not an image, or too large.
    """
    with opened(source) as image:
        width, height = image.size
        turned = image.getexif().get(ExifTags.Base.Orientation) in _ON_ITS_SIDE
        # Pillow gives the size of a TIFF as its own tag turns it.
        if turned and getattr(image, "tag_v2", {}).get(ExifTags.Base.Orientation) not in _ON_ITS_SIDE:
            return height, width
        return width, height
