"""The procedure that is cross-validated: the head of `feature_extraction`, as it would be trained on these images."""

import numpy as np

from stages.lib.arrays.rows import Picked
from stages.lib.heads import logistic
from stages.lib.resampling.repeated import Predict


def head_predictor(
    vectors: Picked, mirrored: Picked | None, labels: np.ndarray, groups: np.ndarray, classes: int, seed: int
) -> Predict:
    """Train logistic regressions on some of these images, and predict others.

    The strength of each is chosen inside the images that it is trained on. Where there are features of mirrored images,
    it learns from both, and the mean of both answers counts.

    Args:
        vectors: float32 (images, channels).
        mirrored: the same of the mirrored images, or None.
        labels: int64 (images,), 0 to classes - 1.
        groups: int64 (images,), equal for copies.
        classes: their number.
        seed: of the choice of the strength.
    """

    def predict(trained: np.ndarray, asked: np.ndarray) -> np.ndarray:
        both = None if mirrored is None else mirrored[trained]
        head = logistic.fit(vectors[trained], labels[trained], groups[trained], classes, seed, mirrored=both)
        probabilities = head.probabilities(vectors[asked])
        if mirrored is not None:
            probabilities = (probabilities + head.probabilities(mirrored[asked])) / 2
        return probabilities.argmax(axis=1)

    return predict
