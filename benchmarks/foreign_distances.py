"""Other distances to the training images than the one of the pipeline, for `python -m benchmarks.abstention`."""

from collections.abc import Callable

import numpy as np
from sklearn.covariance import LedoitWolf

from stages.lib.deciding.distances import MOST
from stages.lib.evaluation.rankings import roc_auc

Far = Callable[[np.ndarray], np.ndarray]


def plain(known: np.ndarray) -> Far:
    """The distance to the fifth nearest training image in features of unit length (Sun et al., 2022)."""
    points = known[:MOST] / np.linalg.norm(known[:MOST], axis=1, keepdims=True)

    def distance(some: np.ndarray) -> np.ndarray:
        alike = some / np.linalg.norm(some, axis=1, keepdims=True) @ points.T
        found: np.ndarray = -np.sort(alike, axis=1)[:, -5]
        return found

    return distance


def mahalanobis(known: np.ndarray, labels: np.ndarray) -> Far:
    """The distance to the nearest class, in the covariance within classes, shrunk (Ledoit and Wolf, 2004)."""
    means = np.stack([known[labels == label].mean(axis=0) for label in np.unique(labels)])
    precision = LedoitWolf(assume_centered=True).fit(known - means[labels]).precision_

    def distance(some: np.ndarray) -> np.ndarray:
        apart = some[:, np.newaxis] - means
        squares: np.ndarray = np.einsum("icf,fg,icg->ic", apart, precision, apart, optimize=True)
        return squares.min(axis=1)

    return distance


def area(near: np.ndarray, far: np.ndarray) -> float:
    """How often a foreign image is further away than one of the task: the area under the ROC curve."""
    both = np.concatenate([near, far])
    return roc_auc(np.repeat([0, 1], [len(near), len(far)]), np.stack([-both, both], axis=1)).value
