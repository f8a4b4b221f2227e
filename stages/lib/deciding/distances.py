"""How far an image is from the training images, by the features on which the head decides.

The distance to the k-th nearest training image in features of unit length (Sun et al., 2022), of which square roots are
taken, so that no single one outweighs the others. 1 is the usual distance of a training image from the others.
`python -m benchmarks.abstention` measures it beside others.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

_NEIGHBOURS = 5
_AT_ONCE = 1024  # images, so that memory does not grow with their number
MOST = 1000  # training images that are compared with
_ALIKE = 1e-3  # a usual distance below it is rounding: the training images are all the same
SHORTEST = 1e-12  # length of features that are taken for none


@dataclass(frozen=True)
class Distance:
    """The Euclidean distance to the `neighbours`-th nearest of some points.

    Attributes:
        points: float32 (points, channels), training images as `even` has them, less the center.
        center: float32 (channels,), their mean: less of it is lost where features are nearly alike.
        neighbours: from 1.
        usual: what distances are divided by.
    """

    points: np.ndarray
    center: np.ndarray
    neighbours: int
    usual: float

    def of(self, features: np.ndarray) -> np.ndarray:
        """The distance of each image.

        Args:
            features: float32 (images, channels).

        Returns:
            float64 (images,); not a number where a feature is none.
        """
        found = np.empty(len(features))
        for start in range(0, len(features), _AT_ONCE):
            x = even(features[start : start + _AT_ONCE].astype(np.float64)) - self.center
            found[start : start + _AT_ONCE] = _nearest(x, self.points, self.neighbours)
        return found / self.usual


def _nearest(x: np.ndarray, points: np.ndarray, neighbours: int) -> np.ndarray:
    known = points.astype(np.float64)
    squares = (x**2).sum(axis=1)[:, np.newaxis] - 2 * x @ known.T + (known**2).sum(axis=1)
    found: np.ndarray = np.sqrt(np.maximum(np.partition(squares, neighbours - 1, axis=1)[:, neighbours - 1], 0))
    return found


def even(features: np.ndarray) -> np.ndarray:
    """Features of unit length, and of each the square root, which keeps its sign: float (images, channels)."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        unit = features / np.maximum(lengths, SHORTEST)
    return np.sign(unit) * np.sqrt(np.abs(unit))


def fitted(features: np.ndarray, seed: int) -> Distance:
    """Learn the distance from training images.

    Args:
        features: float32 (images, channels), at least one image.
        seed: decides which images are kept of many.
    """
    chosen = np.sort(np.random.default_rng(seed).permutation(len(features))[:MOST])
    known = even(features[chosen].astype(np.float64))
    center = known.mean(axis=0).astype(np.float32)
    points = (known - center).astype(np.float32)
    neighbours = min(_NEIGHBOURS, len(points))
    # One more, since each is the nearest of itself.
    usual = float(np.median(_nearest(points.astype(np.float64), points, min(neighbours + 1, len(points)))))
    return Distance(points, center, neighbours, usual if usual > _ALIKE else 1.0)


def write(distance: Distance, file: Path) -> None:
    """Write a distance as `.npz`."""
    neighbours, usual = np.int64(distance.neighbours), np.float64(distance.usual)
    np.savez(file, points=distance.points, center=distance.center, neighbours=neighbours, usual=usual)


def read(file: Path) -> Distance:
    """Read what `write` wrote; nothing of it is run as code."""
    with np.load(file, allow_pickle=False) as found:
        return Distance(found["points"], found["center"], int(found["neighbours"]), float(found["usual"]))
