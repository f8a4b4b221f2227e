"""What belongs together: images that share a key."""

from collections.abc import Hashable, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def numbered(names: Sequence[str]) -> np.ndarray:
    """Number the groups of images: equal for equal names, of its own for each image without a name.

    Returns:
        int64 (images,).
    """
    keys: Sequence[Hashable] = [name or index for index, name in enumerate(names)]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], np.int64)


def joined(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Join two ways of grouping: equal for images that either way, or a chain of both, puts together.

    Args:
        one: int64 (images,), equal within a group.
        other: the same of other groups.

    Returns:
        int64 (images,).
    """
    rows, columns = (np.unique(groups, return_inverse=True)[1] for groups in (one, other))
    count = len(rows) + len(columns)
    graph = coo_array((np.ones(len(rows), np.int8), (rows, len(rows) + columns)), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)[rows]
