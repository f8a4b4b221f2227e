"""The procedure that is cross-validated: the head of `feature_extraction`, as it would be trained on these images."""

import numpy as np

from stages.lib.arrays.rows import Picked
from stages.lib.heads import logistic
from stages.lib.resampling.repeated import Predict


def head_predictor(
    vectors: Picked,
    mirrored: Picked | None,
    labels: np.ndarray,
    groups: np.ndarray,
    classes: int,
    seed: int,
    *,
    averaged: bool = True,
    balanced: bool = False,
) -> Predict:
    """Train linear heads on some of these images, and predict others.

    Scaling and strength of each are chosen inside the images that it is trained on. Where there are features of
    mirrored images, it learns from both.

    Args:
        vectors: float32 (images, channels).
        mirrored: the same of the mirrored images, or None.
        labels: int64 (images,), 0 to classes - 1.
        groups: int64 (images,), equal for copies.
        classes: their number.
        seed: of the choice of the strength.
        averaged: whether it predicts from the mean of an image and its mirror, where it learns from both.
        balanced: whether every class counts the same in training.
    """

    def predict(trained: np.ndarray, asked: np.ndarray) -> np.ndarray:
        own, both = labels[trained], None if mirrored is None else mirrored[trained]
        weights = 1 / np.bincount(own, minlength=classes)[own] if balanced else None
        head = logistic.fit(
            vectors[trained], own, groups[trained], classes, seed, both, averaged=averaged, weights=weights
        )
        unknown = vectors[asked]
        if mirrored is not None and averaged:
            unknown = (unknown + mirrored[asked]) / 2
        return head.probabilities(unknown).argmax(axis=1)

    return predict
