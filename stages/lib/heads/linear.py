"""A linear head: what is left of a logistic regression when everything around it is folded into it."""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

_LEAST_LENGTH = 1e-6


@dataclass(frozen=True)
class LinearHead:
    """A classifier on features that is one matrix and one vector, scaling and calibration included.

    Attributes:
        kernel: float32 (channels, outputs); two classes have one output, the logit of the second.
        bias: float32 (outputs,).
        unit_length: whether features are divided by their length before.
    """

    kernel: np.ndarray
    bias: np.ndarray
    unit_length: bool

    def logits(self, vectors: np.ndarray) -> np.ndarray:
        """Logarithms of the probabilities, up to a number per image.

        Args:
            vectors: float32 (images, channels).

        Returns:
            float64 (images, classes); of two classes the first has 0.
        """
        return of_classes(prepared(vectors, self.unit_length).astype(np.float64) @ self.kernel + self.bias)

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Probability of each class.

        Args:
            vectors: float32 (images, channels).

        Returns:
            float64 (images, classes).
        """
        return softmax(self.logits(vectors), axis=1)


def prepared(vectors: np.ndarray, unit_length: bool) -> np.ndarray:
    """Features as the coefficients of a head take them: as they are, or divided by their length.

    Args:
        vectors: float32 (images, channels).
        unit_length: as of `LinearHead`.
    """
    if not unit_length:
        return vectors
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _LEAST_LENGTH)


def of_classes(outputs: np.ndarray) -> np.ndarray:
    """Outputs as logits of all classes: a single one is that of the second of two.

    Args:
        outputs: float (..., 1) or (..., classes).

    Returns:
        float (..., classes).
    """
    return np.concatenate([np.zeros_like(outputs), outputs], axis=-1) if outputs.shape[-1] == 1 else outputs
