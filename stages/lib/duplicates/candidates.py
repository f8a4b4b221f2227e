"""Which thumbnails are worth a close look together: those whose coarse structure and colours are alike."""

from collections.abc import Sequence

import numpy as np

from stages.lib.duplicates.neighbours import nearest

_LIGHT = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue in grey: ITU-R BT.601
_GREY, _COLOUR = 6, 3  # waves each way that are looked at
_COLOUR_WEIGHT = 0.5
_RADIUS = 0.6  # of vectors of length 1; 90 % crops, the strongest of the edits, lie within 0.55
_CHUNK = 1024


def candidates(thumbnails: Sequence[np.ndarray], count: int) -> np.ndarray:
    """Pairs of thumbnails that may be of one image, as it is or mirrored; few of each, however many there are.

    Args:
        thumbnails: uint8 (48, 48, 3) each, RGB.
        count: nearest to look at.

    Returns:
        int64 (pairs, 3): two indices, the smaller first, and 1 where the second is to be mirrored, otherwise 0; sorted.
    """
    total = len(thumbnails)
    if not total:
        return np.empty((0, 3), np.int64)
    plain = np.concatenate([_waves(np.stack(thumbnails[at : at + _CHUNK])) for at in range(0, total, _CHUNK)])
    owners = np.tile(np.arange(total), 2)
    one, other = nearest(np.concatenate([plain, plain * _mirror()]), owners, count, _RADIUS)
    mirrored = (one < total) != (other < total)
    one, other = owners[one], owners[other]
    return np.unique(np.stack([np.minimum(one, other), np.maximum(one, other), mirrored], axis=1), axis=0)


def _waves(thumbnails: np.ndarray) -> np.ndarray:
    """float32 (images, 53): the lowest cosine waves of grey and of two colour differences, of length 1.

    Neither brightness, which is left out, nor contrast, which scales them all, matters. Finer waves, which crops and
    turns change most, count less.
    """
    pixels = thumbnails.astype(np.float32)
    grey = pixels @ _LIGHT
    found = [
        _cosines(grey, _GREY)[:, 1:],
        _COLOUR_WEIGHT * _cosines(pixels[..., 2] - grey, _COLOUR),
        _COLOUR_WEIGHT * _cosines(pixels[..., 0] - grey, _COLOUR),
    ]
    vectors = np.concatenate(found, axis=1)
    return vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-3)


def _cosines(images: np.ndarray, count: int) -> np.ndarray:
    side = images.shape[1]
    number = np.arange(count, dtype=np.float32)
    basis = np.cos(np.pi * number[:, np.newaxis] * (np.arange(side, dtype=np.float32) + 0.5) / side) / side
    weights = 1 / (1 + np.hypot(number[:, np.newaxis], number))
    return ((basis @ images @ basis.T) * weights).reshape(len(images), -1)


def _mirror() -> np.ndarray:
    """float32 (53,): what mirroring makes of the waves: those that are odd across change their sign."""
    signs = [np.tile((-1.0) ** np.arange(count), count) for count in (_GREY, _COLOUR, _COLOUR)]
    return np.concatenate([signs[0][1:], *signs[1:]]).astype(np.float32)
