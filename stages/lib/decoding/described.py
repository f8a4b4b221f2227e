"""A picture decoded once and described: what splitting needs to know of it."""

import hashlib
from dataclasses import dataclass

import numpy as np

from stages.lib.decoding.quality import brightness, sharpness
from stages.lib.decoding.thumbnails import thumbnail
from stages.lib.images.decode import size_of, upright

_ENOUGH = 512  # pixels: of a larger picture no more is looked at


@dataclass(frozen=True, slots=True)
class Description:
    """What a file says as a picture.

    width, height: pixels, upright. size: bytes. thumbnail: uint8 (48, 48, 3), as in `thumbnails`. brightness,
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
    """Decode and describe a picture.

    Args:
        content: of the file.

    Raises:
        BrokenPicture: it cannot be decoded completely.
        TooMuchAtOnce: as `picture_files.memory` says.
    """
    width, height = size_of(content)
    picture = upright(content, enough=_ENOUGH)
    grey = picture.convert("L")
    return Description(
        width,
        height,
        len(content),
        hashlib.sha256(content).hexdigest(),
        thumbnail(picture),
        brightness(grey),
        sharpness(grey),
    )
