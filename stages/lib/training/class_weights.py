"""How much each image counts, in training and in what decides the best epoch, when classes differ in size."""

from collections.abc import Mapping
from typing import Literal

import numpy as np


def class_weights(labels: np.ndarray, kind: Literal["balanced"] | None) -> dict[int, float] | None:
    """Weight of each class in the training loss; "balanced" lets every class count the same (King & Zeng 2001).

    Args:
        labels: int64 (images,).
        kind: None weighs every image the same.
    """
    if kind is None:
        return None
    classes, counts = np.unique(labels, return_counts=True)
    return dict(zip(classes.tolist(), (len(labels) / (len(classes) * counts)).tolist(), strict=True))


def image_weights(labels: np.ndarray, weights: Mapping[int, float] | None) -> np.ndarray | None:
    """Weight of each image, float32 (images,), from those of the classes; None weighs every image the same.

    Args:
        labels: int64 (images,).
        weights: as `class_weights` gives them; a class that is not in it weighs 1.
    """
    return None if weights is None else np.array([weights.get(label, 1.0) for label in labels.tolist()], np.float32)
