"""The images that a linear head learns from, by their features: which of very many, and as it sees them."""

from dataclasses import dataclass

import numpy as np

from stages.lib.arrays.drawn import drawn
from stages.lib.arrays.rows import MEMORY_BUDGET, Array
from stages.lib.core.errors import UserError
from stages.lib.heads.trial import Views

LEARNED = 20_000  # images that a head learns from, at the most: more hardly teach a linear model anything
_LEAST_OF_CLASS = 10  # images


@dataclass(frozen=True)
class Training:
    """Images that a head learns from.

    Attributes:
        vectors: float32 (images, channels), in memory or in a file.
        labels: int64 (images,), 0 to classes - 1.
        groups: int64 (images,), equal for images that belong together.
        classes: their number, at least 2.
        mirrored: features of the mirrored images, in the same order: learned from too.
        averaged: with `mirrored`, whether predictions are made from the mean of both; else from the image alone.
        weights: float64 (images,), what each image counts; None: all the same.
    """

    vectors: Array
    labels: np.ndarray
    groups: np.ndarray
    classes: int
    mirrored: Array | None = None
    averaged: bool = True
    weights: np.ndarray | None = None

    @property
    def most(self) -> int:
        """Images that a head learns from, at the most; more only where small classes ask for it."""
        row = self.vectors.shape[1] * 4 * (1 if self.mirrored is None else 2)
        return min(LEARNED, max(1, MEMORY_BUDGET // row))

    def drawn(self, seed: int) -> np.ndarray:
        """Indices of the images to learn from, int64."""
        return drawn(self.labels, self.most, _LEAST_OF_CLASS, seed)

    def views(self, picked: np.ndarray) -> Views:
        """Some of the images as a head sees them.

        Raises:
            UserError: a feature is no finite number.
        """
        own, labels = _finite(self.vectors[picked]), self.labels[picked]
        weights = np.ones(len(self.labels)) if self.weights is None else self.weights
        counts = weights[picked] / weights[picked].mean()
        if self.mirrored is None:
            return Views(own, own, labels, counts, self.classes)
        other = _finite(self.mirrored[picked])
        judged = (own + other) / 2 if self.averaged else own
        return Views(np.vstack([own, other]), judged, labels, counts, self.classes)


def _finite(vectors: np.ndarray) -> np.ndarray:
    wrong = int((~np.isfinite(vectors)).any(axis=1).sum())
    if wrong:
        raise UserError(
            f"features: expected finite numbers, found others in {wrong:,} of {len(vectors):,} training images: set "
            "features.precision to float32, or use another backbone.preset"
        )
    return vectors
