"""How much each training picture counts when the classes are of different sizes."""

from typing import Literal

import numpy as np
from sklearn.utils.class_weight import compute_class_weight


def class_weights(labels: np.ndarray, kind: Literal["balanced"] | None) -> dict[int, float] | None:
    """Weight of each class in the training loss; "balanced" lets every class count the same (King & Zeng 2001).

    Args:
        labels: int64 (pictures,). kind: None weighs every picture the same.
    """
    if kind is None:
        return None
    classes = np.unique(labels)
    weights = compute_class_weight(kind, classes=classes, y=labels)
    return {int(label): float(weight) for label, weight in zip(classes, weights, strict=True)}
