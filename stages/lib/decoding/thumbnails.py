"""Images so small that thousands of them are compared, without a plain frame around them."""

import numpy as np
from PIL import Image

SIDE = 48  # pixels of a thumbnail
_LOOKED_AT = 128  # pixels a side at which the frame is looked for
_WIDEST = 16  # of these a frame may have at each side
_PLAIN = 5.0  # of 255: mean difference of a row of the frame from its colour
_SPOTLESS = 24.0  # of 255: largest


def thumbnail(image: Image.Image) -> np.ndarray:
    """Shrink an image to 48 x 48, the aspect ratio not kept; a frame of one colour at each side is left out.

    Args:
        image: of mode "RGB".

    Returns:
        uint8 (48, 48, 3), RGB in [0, 255].
    """
    size = (_LOOKED_AT, _LOOKED_AT)
    reduced = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    pixels = np.asarray(reduced, np.int16)
    top, bottom = _frame(pixels), _frame(pixels[::-1])
    across = pixels.transpose(1, 0, 2)
    left, right = _frame(across), _frame(across[::-1])
    box = (left, top, _LOOKED_AT - right, _LOOKED_AT - bottom)
    return np.asarray(reduced.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box))


def _frame(rows: np.ndarray) -> int:
    """How many of the first rows are of one colour; two more, which are of it and of the image."""
    edge = rows[:_WIDEST]
    difference = np.abs(edge - np.median(edge[0], axis=0)).max(axis=2)
    plain = (difference.mean(axis=1) < _PLAIN) & (difference.max(axis=1) < _SPOTLESS)
    count = _WIDEST if plain.all() else int(plain.argmin())
    return count + 2 if count else 0
