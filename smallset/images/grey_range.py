"""Grey values of more than 8 bits as 8 bits: which value is black and which is white."""

from collections.abc import Sequence

import numpy as np

# What cameras, scanners and medical devices count in. Steps of four: an image that only happens to be dark is rarely
# taken for one of fewer bits.
_DEPTHS = (8, 10, 12, 14, 16, 24, 32)
_LEAST = 1 / 16  # share of a range that an image must reach to be of that range
_AT_ONCE = 1 << 22  # values: those of a large image as fractions would take a gigabyte
_OVERSHOOT = 0.1  # share of a range by which resampled fractions may lie outside it


def eight_bits(values: np.ndarray) -> np.ndarray:
    """Scale grey values to 0 ... 255, by a rule that needs nothing but the image itself.

    No file says which of its values is white: 12 bits of a camera come in a file of 16 bits, fractions as 0 ... 1 or as
    0 ... 255. Black and white are therefore the ends of the first of these ranges that holds the image and of which
    its largest value reaches at least a sixteenth:

    - fractions: 0 ... 1 and -1 ... 1; up to a tenth beyond is cut off, which resampling leaves;
    - 0 ... 255, 1023, 4095, 16383, 65535, 2^24 - 1, 2^32 - 1; with values below 0, counted from the smallest;
    - the smallest and the largest value of the image, where it is in none of these.

    A range of the device, and not the extremes or percentiles of each image, keeps a night image dark and two
    images of one camera comparable. That training and prediction agree needs a rule that looks at no other image.
    What is no number becomes black, infinity white, minus infinity black.

    Args:
        values: integers or fractions, of any shape.

    Returns:
        uint8 of the same shape.

    Raises:
        ValueError: no value is a finite number.
    """
    fractions = values.dtype.kind == "f"
    parts = np.array_split(values, 1 + values.size // _AT_ONCE)
    low, high = _range(*_extremes(parts), fractions)
    scaled = np.empty(values.shape, np.uint8)
    for part, into in zip(parts, np.array_split(scaled, len(parts)), strict=True):
        share = (part.astype(np.float64) - low) * (255 / (high - low) if high > low else 0)
        into[...] = np.rint(np.nan_to_num(share, copy=False, nan=0, posinf=255, neginf=0)).clip(0, 255)
    return scaled


def _extremes(parts: Sequence[np.ndarray]) -> tuple[float, float]:
    """The smallest and the largest finite value."""
    smallest, largest = np.inf, -np.inf
    for part in parts:
        finite = part[np.isfinite(part)]
        if finite.size:
            smallest, largest = min(smallest, float(finite.min())), max(largest, float(finite.max()))
    if smallest > largest:
        raise ValueError("none of its values is a number")
    return smallest, largest


def _range(smallest: float, largest: float, fractions: bool) -> tuple[float, float]:
    """The values that are black and white."""
    beyond = _OVERSHOOT if fractions else 0.0
    if fractions and smallest >= -beyond and _LEAST <= largest <= 1 + beyond:
        return 0.0, 1.0
    if fractions and smallest >= -1 - beyond and largest <= 1 + beyond and largest - smallest >= 2 * _LEAST:
        return -1.0, 1.0
    for depth in _DEPTHS:
        white = 2.0**depth - 1
        black = 0.0 if smallest >= -beyond * white else smallest
        if _LEAST * white <= largest - black <= (1 + beyond) * white:
            return black, black + white
    return smallest, largest
