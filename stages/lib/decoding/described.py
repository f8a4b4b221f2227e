"""An image decoded once and described: what splitting needs to know of it."""

import hashlib
from dataclasses import dataclass

import numpy as np

from stages.lib.decoding.quality import brightness, sharpness
from stages.lib.decoding.thumbnails import thumbnail
from stages.lib.images.decode import size_of, upright

_ENOUGH = 512  # pixels: of a larger image no more is looked at


@dataclass(frozen=True, slots=True)
class Description:
    """What a file says as an image.

    Attributes:
        width: pixels, upright.
        height: pixels, upright.
        size: bytes.
        thumbnail: uint8 (48, 48, 3), as in `thumbnails`.
        brightness: as in `quality`.
        sharpness: as in `quality`.
    """

    width: int
    height: int
    size: int
    sha256: str
    thumbnail: np.ndarray
    brightness: float
    sharpness: float


def describe(content: bytes) -> Description:
    """Decode and describe an image.

    Args:
        content: of the file.

    Raises:
        BrokenImage: it cannot be decoded completely.
        TooMuchAtOnce: as `smallset.images.files.memory` says.
    """
    width, height = size_of(content)
    image = upright(content, enough=_ENOUGH)
    grey = image.convert("L")
    return Description(
        width,
        height,
        len(content),
        hashlib.sha256(content).hexdigest(),
        thumbnail(image),
        brightness(grey),
        sharpness(grey),
    )
