"""How features are scaled before a logistic regression, and how that is folded into its coefficients afterwards."""

from dataclasses import dataclass

import numpy as np

from stages.lib.heads.linear import LinearHead, prepared
from stages.lib.heads.solver import Components

_FAINTEST = 1e-30  # variance of features that never differ
_SMALLEST = 0.01  # scale of a channel, as a share of the root mean square of all: rare channels are not blown up


@dataclass(frozen=True)
class Scaling:
    """Features divided by numbers, so that their mean square around their mean is 1.

    Attributes:
        unit_length: whether features are divided by their length before; then all channels have one scale, else each
            has its standard deviation.
        scales: float64 (channels,).
    """

    unit_length: bool
    scales: np.ndarray

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Scale features.

        Args:
            vectors: float32 (images, channels).

        Returns:
            float32 (images, channels).
        """
        return prepared(vectors, self.unit_length) / self.scales.astype(np.float32)

    def turned(self, vectors: np.ndarray, components: Components) -> np.ndarray:
        """Features in the basis of the components of scaled ones.

        Args:
            vectors: float32 (images, channels).
            components: of scaled features.

        Returns:
            float32 (images, components).
        """
        return (self(vectors) - components.mean.astype(np.float32)) @ components.basis

    def folded(self, solution: np.ndarray, components: Components) -> LinearHead:
        """One solution of `solver.solve` as a head that takes features as they are.

        Args:
            solution: float (1 + components, outputs): the intercept, then the coefficients.
            components: of scaled features.
        """
        coefficients = components.basis.astype(np.float64) @ solution[1:]
        bias = solution[0] - components.mean @ coefficients
        kernel = coefficients / self.scales[:, np.newaxis]
        return LinearHead(kernel.astype(np.float32), bias.astype(np.float32), self.unit_length)


def scaling_of(vectors: np.ndarray, unit_length: bool) -> Scaling:
    """The scaling that some features ask for.

    Args:
        vectors: float32 (images, channels).
        unit_length: as of `Scaling`.
    """
    variances = prepared(vectors, unit_length).var(axis=0, dtype=np.float64)
    mean = max(float(variances.mean()), _FAINTEST)
    each = np.full_like(variances, mean) if unit_length else np.maximum(variances, _SMALLEST**2 * mean)
    return Scaling(unit_length, np.sqrt(each * max(float((variances / each).sum()), _FAINTEST)))
