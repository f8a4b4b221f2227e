"""Many logistic regressions on the same images at once: all folds and strengths of a cross-validation together.

They share their images, so a step of all is one product of matrices; what has come to rest takes no part in it. In the
basis of principal components the curvature of the loss has a diagonal bound (Boehning 1992, "Multinomial logistic
regression algorithm"), which takes the place of a step size; momentum is Nesterov's, started anew where it leads
upwards (O'Donoghue & Candes 2015, "Adaptive restart for accelerated gradient schemes"). From 0, the first steps are
nearly those of a linear discriminant analysis: so stopping early holds a head with a small strength back as well, and
a faster way to the end would be another head.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy.linalg import eigh
from scipy.special import expit

_FAINTEST = 1e-7  # share of the largest variance below which a component is rounding
# Numbers of the rows that stay in the cache for both products; multiplications of one that OpenBLAS does without a copy
# of the rows; rows at a time below which that no longer pays.
_IN_CACHE, _SMALL, _FEWEST = 160_000, 1_000_000, 40
_FEW_OUTPUTS = 16  # of which the greatest is found one by one
_STILL = 3e-4  # root mean square of what a step still changes of the logits, below which it is the last one


@dataclass(frozen=True)
class Components:
    """Rows in the basis of their principal components, without loss: distances and products stay as they are.

    Attributes:
        rows: float32 (rows, components), centred.
        variances: float64 (components,), of the rows.
        basis: float32 (channels, components).
        mean: float64 (channels,).
    """

    rows: np.ndarray
    variances: np.ndarray
    basis: np.ndarray
    mean: np.ndarray


def components_of(rows: np.ndarray) -> Components:
    """Turn rows into the basis of their principal components.

    Args:
        rows: float32 (rows, channels).
    """
    mean = rows.mean(axis=0, dtype=np.float64)
    centred = rows - mean.astype(np.float32)
    count, channels = rows.shape
    few = count < channels
    gram = (centred @ centred.T if few else centred.T @ centred) / np.float32(count)
    variances, vectors = eigh(gram, overwrite_a=True, check_finite=False, driver="evd")
    kept = variances > max(_FAINTEST * variances[-1], np.finfo(np.float32).tiny)
    variances, vectors = variances[kept], vectors[:, kept]
    basis = centred.T @ (vectors / np.sqrt(variances * count)) if few else vectors
    return Components(centred @ basis, variances.astype(np.float64), basis, mean)


def solve(
    components: Components, labels: np.ndarray, classes: int, weights: np.ndarray, strengths: np.ndarray, steps: int
) -> np.ndarray:
    """Fit several logistic regressions, each with its own weights of the rows and its own strength.

    Each minimises the weighted mean of the cross-entropy plus strength / 2 times the squared coefficients; the
    intercept is free.

    Args:
        components: of the rows.
        labels: int64 (rows,), 0 to classes - 1.
        classes: their number; two have one output.
        weights: float32 (rows, models), 0 for rows that a model does not see.
        strengths: float64 (models,), of the regularisation.
        steps: to take at most.

    Returns:
        float32 (1 + components, models, outputs): the intercept, then the coefficients.
    """
    models, outputs = len(strengths), 1 if classes == 2 else classes
    rows, sums = components.rows, weights.sum(axis=0, dtype=np.float64)
    curvature = (0.25 if outputs == 1 else 0.5) * len(rows) * weights.max(axis=0) / sums
    if len(seen := np.flatnonzero(weights.any(axis=1))) < len(rows):
        rows, labels, weights = rows[seen], labels[seen], weights[seen]
    target = labels[:, np.newaxis] == (np.arange(1, 2) if outputs == 1 else np.arange(classes))
    target = target[:, np.newaxis].astype(np.float32)
    shares = (weights / sums)[..., np.newaxis].astype(np.float32)
    # One for the intercept, whose column of ones is orthogonal to the centred rows.
    variances = np.concatenate([[1.0], components.variances])[:, np.newaxis]
    penalties = np.vstack([np.zeros(models), np.tile(strengths, (len(variances) - 1, 1))])
    sizes = (1 / (variances * curvature + penalties))[..., np.newaxis].astype(np.float32)
    penalties = penalties[..., np.newaxis].astype(np.float32)
    solved = np.zeros((len(variances), models, outputs), np.float32)
    # Of the models that still move: their numbers, where they are, where the next step is looked at from, and its age.
    moving, found, ahead, age = np.arange(models), solved, solved, np.zeros(models)
    for _ in range(steps):
        gradient = _gradient(rows, target, shares, ahead) + penalties * ahead
        new = ahead - sizes * gradient
        moved = new - found
        age = np.where(np.einsum("cmo,cmo->m", gradient, moved) > 0, 0, age + 1)
        found, ahead = new, new + (age / (age + 3))[:, np.newaxis].astype(np.float32) * moved
        solved[:, moving] = found
        rests = np.einsum("c,cmo->m", variances[:, 0], moved**2) < _STILL**2
        if rests.any():
            kept = ~rests
            moving, found, ahead, age = moving[kept], found[:, kept], ahead[:, kept], age[kept]
            shares, sizes, penalties = shares[:, kept], sizes[:, kept], penalties[:, kept]
        if not len(moving):
            break
    return solved


def _gradient(rows: np.ndarray, target: np.ndarray, shares: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Of the weighted mean of the cross-entropy: float32 (1 + components, models, outputs), as `ahead`.

    For few models reading the rows takes longer than the products: some at a time stay in the cache for both.
    """
    columns = ahead[0].size
    step = min(_IN_CACHE, _SMALL // columns) // max(1, rows.shape[1])
    step = len(rows) if step < _FEWEST else step
    gradient = np.zeros((len(ahead), columns), np.float32)
    for start in range(0, len(rows), step):
        some = slice(start, start + step)
        # Features that are all alike have no components at all.
        logits = rows[some] @ ahead[1:].reshape(len(ahead) - 1, columns)
        residual = _guess(logits.reshape(-1, *ahead.shape[1:]) + ahead[0])
        residual -= target[some]
        residual *= shares[some]
        flat = residual.reshape(len(residual), columns)
        gradient[0] += flat.sum(axis=0)
        gradient[1:] += rows[some].T @ flat
    return gradient.reshape(ahead.shape)


def _guess(logits: np.ndarray) -> np.ndarray:
    """Probabilities, float32 (rows, models, outputs), in the place of the logits."""
    if logits.shape[-1] == 1:
        return expit(logits, out=logits)
    logits -= _greatest(logits)[..., np.newaxis]
    np.exp(logits, out=logits)
    logits /= np.einsum("rmo->rm", logits)[..., np.newaxis]
    return logits


def _greatest(logits: np.ndarray) -> np.ndarray:
    """Of each row and model; numpy takes ten times as long to compare a few numbers that lie beside each other."""
    if logits.shape[-1] > _FEW_OUTPUTS:
        return logits.max(axis=-1)
    return reduce(np.maximum, np.moveaxis(logits, -1, 0))
