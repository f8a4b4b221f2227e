"""Which of many vectors lie near each other, in a time that no set of vectors makes grow with their square."""

from collections.abc import Iterator

import numpy as np

_LEAF = 128  # vectors that are compared with each other
_TREES = 12


def nearest(vectors: np.ndarray, owners: np.ndarray, count: int, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of near vectors: each with its nearest, most likely.

    A forest of random projection trees: each halves the vectors along a random direction until few are left, which are
    compared. Halves are equal by number, so that equal vectors cost no more than others. Dasgupta & Freund (2008),
    "Random projection trees and low dimensional manifolds", STOC; here along the difference of two of the vectors.

    Args:
        vectors: float32 (vectors, size).
        owners: int64 (vectors,); those of one owner make no pair.
        count: of each vector, at most.
        radius: largest distance.

    Returns:
        int64 (pairs,): the first of each pair. int64 (pairs,): the other, larger one.
    """
    rng = np.random.default_rng(0)
    keys, squares = np.empty(0, np.int64), np.empty(0, np.float32)
    for _ in range(_TREES):
        found = [_near(leaf, vectors, owners, count, radius) for leaf in _leaves(vectors, rng)]
        keys = np.concatenate([keys, *(part[0] for part in found)])
        squares = np.concatenate([squares, *(part[1] for part in found)])
        # After each tree, for the trees find mostly the same.
        keys, first = np.unique(keys, return_index=True)
        kept = _nearest_of_each(*np.divmod(keys, len(vectors)), squares[first], count)
        keys, squares = keys[kept], squares[first][kept]
    return np.divmod(keys, max(1, len(vectors)))


def _nearest_of_each(one: np.ndarray, other: np.ndarray, squares: np.ndarray, count: int) -> np.ndarray:
    """int64 (kept,): the pairs that are among the `count` nearest of one of the two."""
    vectors, pairs = np.concatenate([one, other]), np.tile(np.arange(len(one)), 2)
    order = np.lexsort((pairs, squares[pairs], vectors))
    starts = np.searchsorted(vectors[order], vectors[order])
    return np.unique(pairs[order][np.arange(len(order)) - starts < count])


def _leaves(vectors: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    waiting = [np.arange(len(vectors))]
    while waiting:
        indices = waiting.pop()
        if len(indices) <= _LEAF:
            yield indices
            continue
        one, other = rng.choice(len(indices), 2, replace=False)
        along = vectors[indices] @ (vectors[indices[one]] - vectors[indices[other]])
        half = len(indices) // 2
        order = np.argpartition(along, half)
        waiting += [indices[order[:half]], indices[order[half:]]]


def _near(
    indices: np.ndarray, vectors: np.ndarray, owners: np.ndarray, count: int, radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs within a leaf: int64 (pairs,), both indices in one number; float32 (pairs,), squared distances."""
    own, whose = vectors[indices], owners[indices]
    lengths = (own * own).sum(axis=1)
    squares = lengths[:, np.newaxis] + lengths - 2 * (own @ own.T)
    squares[whose[:, np.newaxis] == whose] = np.inf
    count = min(count, len(indices) - 1)
    if count < 1:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    # Exactly so many, also of equal ones.
    near = np.argpartition(squares, count - 1, axis=1)[:, :count]
    found = np.take_along_axis(squares, near, axis=1)
    rows, columns = np.nonzero(found <= radius * radius)
    one, other = indices[rows], indices[near[rows, columns]]
    return np.minimum(one, other) * len(vectors) + np.maximum(one, other), found[rows, columns]
