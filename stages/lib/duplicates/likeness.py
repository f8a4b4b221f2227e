"""How far two thumbnails are from being those of one image: the largest local difference that no edit explains."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from stages.lib.duplicates.registration import IDENTITY, correlation, moved, places, registered, warped

APART = np.float32(np.inf)  # distance of what cannot be laid over each other
_LIGHT = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue in grey: ITU-R BT.601
_CHUNK = 64  # pairs at once: what fits the processor's cache
_COARSE = 4  # pixels of a thumbnail, each way, that are one to begin with
_COARSE_STEPS, _FINE_STEPS = 5, 3
_CORRELATION = 0.85  # of the coarse images, at least
# What crops of 80 %, borders of 12 % and turns by 5 degrees make of the transform, of images up to 2 : 1.
_SCALE, _TURN, _SHIFT = 0.25, 0.2, 0.25
_STRETCH, _SHEAR = 0.15, 0.045  # one side against the other; a turn moves the two axes in opposite ways
_OVERLAP = 0.6  # share of the thumbnail, at least
_GAIN = 1.6  # of the light, at most, either way
_EDGE = 1.5  # pixels at the edge, where frames and the corners of a turn leave traces
_UNCLIPPED = 235.0  # of 255: above it an edit of the light may have met the end of the scale
_DETAIL = 2.0  # of 255: what varies within an eighth of the side; with less there is nothing to recognise
_UNEXPLAINED = 0.3  # of the detail, at most
_NOISE = 2.0  # of 255: no image is taken for quieter than this
_NOISES = 2.2  # of the median difference that noise may reach
_BRIGHT, _CLIPPED = 195.0, 0.3  # of 255, and the share by which an edit of the light may have cut off what is brighter
_FILL = 3  # pixels at the edge that may be the filled corners of a turn
_BLACK, _WHITE = 12, 243  # of 255: such corners, compressed
_EQUAL = 2.0  # distance up to which nothing is aligned
_SLOPE = 0.1  # pixels by which the alignment may be off
_BLUR = np.array([0.25, 0.5, 0.25])


def distances(fixed: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """Lay each moving thumbnail over its fixed one and measure the largest local difference that is left.

    Affine registration and one gain and offset for all three colours; what differs then, smoothed over 3 x 3 pixels, is
    divided by what noise (the median difference) and an alignment off by a tenth of a pixel explain at that place.
    One thing that is another one stands out against the rest, as does a hue; compression and brightness do not.

    Args:
        fixed: uint8 (pairs, 48, 48, 3), RGB.
        moving: uint8 (pairs, 48, 48, 3), RGB; what each fixed image is compared with.

    Returns:
        float32 (pairs,): 0 for equal ones, above 2.5 where something differs, infinite where they do not fit at all.
    """
    parts = [slice(start, start + _CHUNK) for start in range(0, len(fixed), _CHUNK)]
    return np.concatenate([_distances(fixed[part], moving[part]) for part in parts] or [np.empty(0, np.float32)])


def has_detail(thumbnails: Sequence[np.ndarray]) -> np.ndarray:
    """bool (images,): whether there is something in each thumbnail, uint8 (48, 48, 3), to recognise it by."""
    parts = [np.stack(thumbnails[start : start + _CHUNK]) for start in range(0, len(thumbnails), _CHUNK)]
    found = [_detail(_blurred(part.astype(np.float32))) >= _DETAIL for part in parts]
    return np.concatenate(found or [np.empty(0, bool)])


def _distances(fixed: np.ndarray, moving: np.ndarray) -> np.ndarray:
    fixed, moving = fixed.astype(np.float32), moving.astype(np.float32)
    # Nearly equal ones need no alignment: of a camera that does not move there may be thousands.
    found = np.abs(fixed - moving).max(axis=(1, 2, 3)) / _NOISE
    found[found > _EQUAL] = APART
    rest, warps = _roughly_laid_over(fixed, moving, np.flatnonzero(found == APART))
    if len(rest):
        warps = registered(fixed[rest] @ _LIGHT, moving[rest] @ _LIGHT, warps, _FINE_STEPS)
        found[rest] = np.where(_plausible(warps), _largest(fixed[rest], moving[rest], warps), APART)
    return found


def _roughly_laid_over(fixed: np.ndarray, moving: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of the pairs that fit at a quarter of their pixels, which most of different images do not; and how."""
    one, other = (_reduced(images[pairs] @ _LIGHT) for images in (fixed, moving))
    warps = registered(one, other, np.tile(IDENTITY, (len(pairs), 1)), _COARSE_STEPS)
    near = (correlation(one, other, warps) > _CORRELATION) & _plausible(warps)
    return pairs[near], warps[near]


def _largest(fixed: np.ndarray, moving: np.ndarray, warps: np.ndarray) -> np.ndarray:
    """The distance under a transform."""
    shape, covered = fixed.shape, _compared(warps, fixed.shape[1])
    overlap = covered.mean(axis=1)
    found = warped(np.concatenate([moving, _filled(moving)], axis=3), warps)[0]
    covered &= (found[..., 3] < 0.01) & ~_filled(fixed).reshape(covered.shape)
    found, pixels = found[..., :3], fixed.reshape(len(fixed), -1, 3)
    gain, offset = _light(pixels, found, covered)
    rest = _rest(pixels, found, gain, offset) * covered[..., np.newaxis]
    rest, smooth = np.abs(_blurred(rest.reshape(shape))), _blurred(fixed)
    largest = (rest.max(axis=3) / _explained(rest, smooth, covered.reshape(shape[:3]), gain)).max(axis=(1, 2))
    detail = _detail(smooth)
    fits = (gain > 1 / _GAIN) & (gain < _GAIN) & (overlap > _OVERLAP) & (detail > _DETAIL)
    fits &= np.sqrt((rest * rest).mean(axis=(1, 2, 3))) < _UNEXPLAINED * detail
    return np.where(fits, largest, APART).astype(np.float32)


def _explained(rest: np.ndarray, smooth: np.ndarray, covered: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """float32 (pairs, side, side): what may differ at each place though nothing does, in grey levels."""
    noise = np.array([np.median(one[mask]) if mask.any() else 0 for one, mask in zip(rest, covered, strict=True)])
    down, across = np.gradient(smooth, axis=(1, 2))
    slope = ndimage.maximum_filter(np.hypot(down, across).max(axis=3), size=(1, 3, 3))
    bright = (smooth.max(axis=3) - _BRIGHT).clip(0) * np.abs(gain - 1).clip(0, 1)[:, np.newaxis, np.newaxis]
    return np.maximum(_NOISE, _NOISES * noise)[:, np.newaxis, np.newaxis] + _SLOPE * slope + _CLIPPED * bright


def _filled(images: np.ndarray) -> np.ndarray:
    """bool (pairs, side, side, 1): black or white at the edge, as a turn fills the corners; with what touches it."""
    extreme = (images.max(axis=3) < _BLACK) | (images.min(axis=3) > _WHITE)
    extreme[:, _FILL:-_FILL, _FILL:-_FILL] = False
    return ndimage.maximum_filter(extreme, size=(1, 3, 3))[..., np.newaxis]


def _rest(pixels: np.ndarray, found: np.ndarray, gain: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Differences after the edit of the light: what it made brighter may have met the end of the scale."""
    gain, offset = gain[:, np.newaxis, np.newaxis], offset[:, np.newaxis, np.newaxis]
    brighter = (gain * found + offset).clip(0, 255) - pixels
    safe = np.maximum(gain, 0.1)
    darker = gain * (found - ((pixels - offset) / safe).clip(0, 255))
    return np.where(gain >= 1, brighter, darker)


def _light(pixels: np.ndarray, found: np.ndarray, covered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gain and offset, float32 (pairs,) each, of what did not meet the end of the scale, if that is enough."""
    inside = covered[..., np.newaxis] & (found < _UNCLIPPED) & (pixels < _UNCLIPPED)
    few = inside.mean(axis=(1, 2)) < 0.1
    weights = np.where(few[:, np.newaxis, np.newaxis], covered[..., np.newaxis], inside).astype(np.float32)
    total = weights.sum(axis=(1, 2)) + 1e-3
    mean, mean_found = ((values * weights).sum(axis=(1, 2)) / total for values in (pixels, found))
    away = (found - mean_found[:, np.newaxis, np.newaxis]) * weights
    gain = (pixels * away).sum(axis=(1, 2)) / ((away * away).sum(axis=(1, 2)) + 1e-3)
    return gain, mean - gain * mean_found


def _compared(warps: np.ndarray, side: int) -> np.ndarray:
    """bool (pairs, side * side): pixels inside both thumbnails, without their edges."""
    inner = 1 - 2 * _EDGE / side
    inside = [np.abs(place) < inner for place in (*places(side), *moved(warps, side))]
    return inside[0] & inside[1] & inside[2] & inside[3]


def _plausible(warps: np.ndarray) -> np.ndarray:
    limits = np.array([_SCALE, _TURN, _SHIFT, _TURN, _SCALE, _SHIFT], np.float32)
    sheared = warps[:, 1] * warps[:, 3] > _SHEAR**2
    return (np.abs(warps - IDENTITY) < limits).all(axis=1) & (np.abs(warps[:, 0] - warps[:, 4]) < _STRETCH) & ~sheared


def _detail(smooth: np.ndarray) -> np.ndarray:
    """float32 (thumbnails,): how much varies within an eighth of the side, in grey levels; nothing in a slope."""
    reach = smooth.shape[1] // 8
    around = ndimage.uniform_filter(smooth, (0, 2 * reach + 1, 2 * reach + 1, 0))
    return (smooth - around)[:, reach:-reach, reach:-reach].std(axis=(1, 2, 3))


def _blurred(images: np.ndarray) -> np.ndarray:
    return ndimage.convolve1d(ndimage.convolve1d(images, _BLUR, axis=1), _BLUR, axis=2)


def _reduced(grey: np.ndarray) -> np.ndarray:
    pairs, side, _ = grey.shape
    return grey.reshape(pairs, side // _COARSE, _COARSE, side // _COARSE, _COARSE).mean(axis=(2, 4))
