"""How much each image counts, in training and in what decides the best epoch, when classes differ in size."""

from typing import Literal

import numpy as np


def class_weights(labels: np.ndarray, kind: Literal["balanced"] | None) -> dict[int, float] | None:
    """Weight of each class in the loss of images; "balanced" lets every class count the same (King & Zeng 2001).

    Args:
        labels: int64 (images,).
        kind: None weighs every image the same.
    """
    if kind is None:
        return None
    classes, counts = np.unique(labels, return_counts=True)
    return dict(zip(classes.tolist(), (len(labels) / (len(classes) * counts)).tolist(), strict=True))


def image_weights(labels: np.ndarray, kind: Literal["balanced"] | None) -> np.ndarray | None:
    """Weight of each image, float32 (images,), by `class_weights`; None weighs every image the same.

    Args:
        labels: int64 (images,).
        kind: as of `class_weights`.
    """
    weights = class_weights(labels, kind)
    return None if weights is None else np.array([weights[label] for label in labels.tolist()], np.float32)
