"""Probabilities as sure as they are right: a temperature by cross-validation, where it helps."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

_RANGE = (-3.0, 3.0)  # logarithms of the factors to choose from
# How far, as a logarithm, the factor is expected to be from 1. Few images, or ones that are all told apart, say little
# about it: without a prior they would make it as large as it may be.
_EXPECTED = 0.3


def factor(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray, folds: np.ndarray) -> float:
    """By what logits are multiplied to mean what they say (temperature scaling, Guo et al. 2017), with a prior.

    Judged by cross-validation over the folds that the logits come from: 1 unless the log loss is lower with than
    without, by more than one standard error.

    Args:
        logits: float (judged, classes), each of a model that has not seen the image.
        labels: int64 (judged,).
        weights: float (judged,), what each counts; their sum is the number of images.
        folds: int64 (judged,), the fold that held each out.
    """
    gains = np.zeros(len(labels))
    for fold in np.unique(folds):
        own = folds == fold
        found = _fitted(logits[~own], labels[~own], weights[~own])
        without, with_it = (_losses(scale * logits[own], labels[own]) for scale in (1.0, found))
        gains[own] = weights[own] * (without - with_it)
    error = np.sqrt(np.sum((gains - gains.mean()) ** 2))
    return _fitted(logits, labels, weights) if gains.sum() > error else 1.0


def _fitted(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    def penalised(power: float) -> float:
        return float(weights @ _losses(np.exp(power) * logits, labels)) + power**2 / (2 * _EXPECTED**2)

    return float(np.exp(minimize_scalar(penalised, bounds=_RANGE, method="bounded").x))


def _losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return -log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
