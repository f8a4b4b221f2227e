"""Images that a program holds already: pixels, or an image of Pillow, read as their file is."""

from threading import Lock

import numpy as np
from PIL import Image, ImageFile, ImageOps

from smallset.images.broken import BrokenImage, explained
from smallset.images.choices import Color
from smallset.images.decode import MODES, pixels_of
from smallset.images.files import is_large
from smallset.images.resizing import STRETCH, Resizing
from smallset.images.values import as_mode, loses_bits, reduced

# An image that Pillow has opened reads its file when it is asked for pixels: two threads would each get a part of it.
_loading = Lock()


def from_array(
    pixels: np.ndarray, size: int | None = None, color: Color = "rgb", resizing: Resizing = STRETCH
) -> np.ndarray:
    """The same as `smallset.images.decode.decode` of pixels, upright and in sRGB.

    Args:
        pixels: uint8 (height, width), or (height, width, channels) with 1, 3, or 4 channels, the last one opacity.
        size: as in `decode`.
        color: as in `decode`.
        resizing: as in `decode`.

    Returns:
        As `decode`.

    Raises:
        BrokenImage: of another type or shape, or without pixels.
    """
    several = pixels.ndim == 3 and pixels.shape[2] in (1, 3, 4)
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or several) or 0 in pixels.shape:
        raise BrokenImage(
            "expected pixels uint8 (height, width) or (height, width, 1, 3 or 4). "
            f"Received: {pixels.dtype} {pixels.shape}"
        )
    image = Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
    return _read(image, False, size, color, resizing)


def from_image(
    image: Image.Image, size: int | None = None, color: Color = "rgb", resizing: Resizing = STRETCH
) -> np.ndarray:
    """The same of an image of Pillow, which stays as it is: turned as its EXIF says, in the colours of its profile.

    Of a JPEG the decoder has left out no detail, so that it may differ a little from its file. Of an animation it is
    the image that is shown. Once colours of 16 bits are loaded, nobody can tell whether all 16 are used, so it is taken
    for granted.

    Args:
        image: of any mode.
        size: as in `from_array`.
        color: as in `from_array`.
        resizing: as in `from_array`.

    Returns:
        As `from_array`.

    Raises:
        BrokenImage: its file is damaged, or it has no pixels.
    """
    if 0 in image.size:
        raise BrokenImage(f"expected an image with pixels. Received: {image.width} x {image.height}")
    with explained():
        lost_bits = isinstance(image, ImageFile.ImageFile) and loses_bits(image)
        copy = _copied(image)
        ImageOps.exif_transpose(copy, in_place=True)
        if isinstance(image, ImageFile.ImageFile) and hasattr(image, "tag_v2"):
            copy.tag_v2 = image.tag_v2  # type: ignore[attr-defined]  # what its numbers mean
        return _read(copy, lost_bits, size, color, resizing)


def _copied(image: Image.Image) -> Image.Image:
    is_closed = isinstance(image, ImageFile.ImageFile) and image.fp is None
    try:
        with _loading:
            return image.copy()
    except (AssertionError, AttributeError):  # of Pillow, which takes the file for open
        if not is_closed:
            raise
        raise BrokenImage(
            "its file was closed before anybody read it: load() it within the block that opens it"
        ) from None


def _read(image: Image.Image, lost_bits: bool, size: int | None, color: Color, resizing: Resizing) -> np.ndarray:
    # As of a file, so that both give the same.
    enough = 2 * size if size is not None and is_large(image.width * image.height) else None
    converted = as_mode(image if enough is None else reduced(image, enough), MODES[color], lost_bits)
    return pixels_of(converted if enough is None else reduced(converted, enough), size, color, resizing)
