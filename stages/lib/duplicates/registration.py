"""Small images laid over each other: moved, scaled and turned a little until they agree best."""

import numpy as np

IDENTITY = np.array([1, 0, 0, 0, 1, 0], np.float32)


def registered(fixed: np.ndarray, moving: np.ndarray, warps: np.ndarray, steps: int) -> np.ndarray:
    """Improve the affine transforms that take places in each fixed image to those in its moving one.

    Gauss-Newton on the squared differences, a gain and an offset of the light solved along; the gradients are those of
    the fixed image, whose warped partner has nearly the same: Baker & Matthews (2004), "Lucas-Kanade 20 years on: a
    unifying framework", IJCV 56.

    Args:
        fixed: float32 (pairs, side, side), grey.
        moving: float32 (pairs, side, side), grey.
        warps: float32 (pairs, 6), to start from: (x, y), each in [-1, 1], goes to
            (warp[0] x + warp[1] y + warp[2], warp[3] x + warp[4] y + warp[5]).
        steps: improvements.

    Returns:
        float32 (pairs, 6).
    """
    pairs, side, _ = fixed.shape
    pixels, (x, y) = fixed.reshape(pairs, side * side), places(side)
    down, across = (slope.reshape(pixels.shape) * (side / 2) for slope in np.gradient(fixed, axis=(1, 2)))
    slopes = np.stack([across * x, across * y, across, down * x, down * y, down], axis=1)
    for _ in range(steps):
        found, covered = warped(moving, warps)
        weights = covered.astype(np.float32)
        rest = (pixels - _same_light(pixels, found, weights)) * weights
        curvature = (slopes * weights[:, np.newaxis]) @ slopes.transpose(0, 2, 1)
        # Where the image says nothing about a direction, nothing moves in it.
        damping = 0.01 * np.trace(curvature, axis1=1, axis2=2)[:, np.newaxis, np.newaxis] / 6 + 1e-3
        step = np.linalg.solve(curvature + damping * np.eye(6, dtype=np.float32), slopes @ rest[..., np.newaxis])
        warps = warps + step[..., 0].clip(-0.1, 0.1)
    return warps


def places(side: int) -> tuple[np.ndarray, np.ndarray]:
    """float32 (side * side,) each: x and y of the pixels of a square, in [-1, 1]."""
    ticks = (np.arange(side, dtype=np.float32) * 2 + 1) / side - 1
    x, y = np.meshgrid(ticks, ticks)
    return x.ravel(), y.ravel()


def moved(warps: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """float32 (pairs, side * side) each: x and y to which the transforms take the pixels of a square."""
    x, y = places(side)
    across = warps[:, 0:1] * x + warps[:, 1:2] * y + warps[:, 2:3]
    return across, warps[:, 3:4] * x + warps[:, 4:5] * y + warps[:, 5:6]


def warped(moving: np.ndarray, warps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sample images where the transforms take the pixels of others, bilinearly.

    Args:
        moving: float32 (pairs, side, side) or (pairs, side, side, channels). warps: float32 (pairs, 6), as above.

    Returns:
        float32 (pairs, side * side) or (pairs, side * side, channels). bool (pairs, side * side): where the moving
        image has something.
    """
    pairs, side, *_ = moving.shape
    across, down = moved(warps, side)
    covered = (np.abs(across) < 1) & (np.abs(down) < 1)
    across, down = (((place + 1) * (side / 2) - 0.5).clip(0, side - 1.001) for place in (across, down))
    left, top = across.astype(np.intp), down.astype(np.intp)
    corner = top * side + left + (np.arange(pairs) * side * side)[:, np.newaxis]
    pixels = moving.reshape(pairs * side * side, *moving.shape[3:])
    right, low = (share.astype(np.float32) for share in (across - left, down - top))
    if moving.ndim > 3:
        right, low = right[..., np.newaxis], low[..., np.newaxis]
    first, second, third, fourth = (pixels.take(corner + step, axis=0) for step in (0, 1, side, side + 1))
    upper, lower = first + (second - first) * right, third + (fourth - third) * right
    return upper + (lower - upper) * low, covered


def correlation(fixed: np.ndarray, moving: np.ndarray, warps: np.ndarray) -> np.ndarray:
    """float32 (pairs,): of the grey values where each two images, float32 (pairs, side, side), overlap."""
    found, covered = warped(moving, warps)
    one, other = (_centred(pixels, covered) for pixels in (fixed.reshape(covered.shape), found))
    return (one * other).sum(axis=1) / np.sqrt((one * one).sum(axis=1) * (other * other).sum(axis=1) + 1e-3)


def _centred(pixels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    means = (pixels * weights).sum(axis=1) / (weights.sum(axis=1) + 1e-3)
    return (pixels - means[:, np.newaxis]) * weights


def _same_light(pixels: np.ndarray, found: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The found pixels at the gain and the offset that bring them closest to the others."""
    total = weights.sum(axis=1) + 1e-3
    mean = (pixels * weights).sum(axis=1) / total
    away = _centred(found, weights)
    gain = (pixels * away).sum(axis=1) / ((away * away).sum(axis=1) + 1e-3)
    return gain[:, np.newaxis] * (found - ((found * weights).sum(axis=1) / total)[:, np.newaxis]) + mean[:, np.newaxis]
