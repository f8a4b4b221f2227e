"""What a program may give a classifier as an image, and how each is read."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from smallset.images.broken import BrokenImage
from smallset.images.choices import Color
from smallset.images.decode import decode
from smallset.images.in_memory import from_array, from_image
from smallset.images.resizing import Resizing

_Bytes = bytes | bytearray | memoryview
Image = str | os.PathLike[str] | _Bytes | np.ndarray | Picture.Image


def several(images: Image | Iterable[Image]) -> Iterable[Image]:
    """One image as a list, several as they are."""
    is_one = isinstance(images, str | os.PathLike | _Bytes | np.ndarray | Picture.Image)
    # What is no image is told; a file that is open would give its lines.
    is_one = is_one or hasattr(images, "read") or not isinstance(images, Iterable)
    return [images] if is_one else images  # type: ignore[list-item,return-value]


def read(image: Image, size: int, color: Color, resizing: Resizing) -> np.ndarray:
    """One image as a model takes it.

    Args:
        image: as a program has it.
        size: height and width in pixels of the result.
        color: "rgb" or "grey".
        resizing: how it gets its size.

    Returns:
        uint8 (size, size, channels) in [0, 255].

    Raises:
        BrokenImage: it cannot be read, or is no image.
    """
    if isinstance(image, np.ndarray):
        return from_array(image, size, color, resizing)
    if isinstance(image, Picture.Image):
        return from_image(image, size, color, resizing)
    if isinstance(image, _Bytes):
        return decode(bytes(image), size, color, resizing)
    if name := name_of(image):
        return decode(Path(name), size, color, resizing)
    what = type(image).__name__ if name is None else "an empty text"
    raise BrokenImage(
        "expected a path, the bytes of a file (of an open one what read() gives), pixels or an image of Pillow. "
        f"Received: {what}"
    )


def name_of(image: Image) -> str | None:
    """The path of an image that is one."""
    return os.fsdecode(image) if isinstance(image, str | os.PathLike) else None


def stays(image: Image) -> bool:
    """Whether an image cannot become another one before it is read, as pixels in memory can."""
    return isinstance(image, str | os.PathLike | bytes)
