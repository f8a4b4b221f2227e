"""How far an image is from the training images, by the features on which the head decides.

The distance to the k-th nearest training image (Sun et al., 2022) in square roots of the features, so that no single
one outweighs the others. `python -m benchmarks.abstention` measures it beside the Mahalanobis distance to the nearest
class.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

_NEIGHBOURS = 5
_MOST = 1000  # training images that are compared with


@dataclass(frozen=True)
class Distance:
    """The Euclidean distance to the `neighbours`-th nearest of some points.

    Attributes:
        points: float32 (points, channels), training images as `rooted` has them.
        neighbours: from 1.
    """

    points: np.ndarray
    neighbours: int

    def of(self, features: np.ndarray) -> np.ndarray:
        """The distance of each image.

        Args:
            features: float32 (images, channels).

        Returns:
            float64 (images,).
        """
        x, points = rooted(features.astype(np.float64)), self.points.astype(np.float64)
        squares = (x**2).sum(axis=1)[:, np.newaxis] - 2 * x @ points.T + (points**2).sum(axis=1)
        return np.sqrt(np.maximum(np.sort(squares, axis=1)[:, self.neighbours - 1], 0))


def rooted(features: np.ndarray) -> np.ndarray:
    """Square roots that keep their sign: float (images, channels)."""
    return np.sign(features) * np.sqrt(np.abs(features))


def fitted(features: np.ndarray, seed: int) -> Distance:
    """Learn the distance from training images.

    Args:
        features: float32 (images, channels), at least one image.
        seed: decides which images are kept of many.
    """
    chosen = np.sort(np.random.default_rng(seed).permutation(len(features))[:_MOST])
    points = rooted(features[chosen]).astype(np.float32)
    return Distance(points, min(_NEIGHBOURS, len(points)))


def write(distance: Distance, file: Path) -> None:
    """Write a distance as `.npz`."""
    np.savez(file, points=distance.points, neighbours=np.int64(distance.neighbours))


def read(file: Path) -> Distance:
    """Read what `write` wrote; nothing of it is run as code."""
    with np.load(file, allow_pickle=False) as found:
        return Distance(found["points"], int(found["neighbours"]))
