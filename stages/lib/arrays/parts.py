"""Images divided into parts that are judged in turn, so that of every class some are left to learn from."""

import warnings
from collections.abc import Iterable

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold


def stratified_parts(labels: np.ndarray, groups: np.ndarray, parts: int, seed: int) -> np.ndarray:
    """Divide images as `grouped_parts` does; images that are all by themselves need no search, which takes long.

    Args:
        labels: int64 (images,).
        groups: int64 (images,), equal for images that belong together.
        parts: how many.
        seed: decides which.

    Returns:
        int64 (images,): of each image its part, from 0.
    """
    if len(np.unique(groups)) < len(groups):
        return grouped_parts(labels, groups, parts, seed)
    return _numbered(StratifiedKFold(parts, shuffle=True, random_state=seed).split(labels, labels), len(labels))


def grouped_parts(labels: np.ndarray, groups: np.ndarray, parts: int, seed: int) -> np.ndarray:
    """Divide images into parts, groups whole and classes as evenly as these allow, and `spread`.

    Args:
        labels: int64 (images,).
        groups: int64 (images,), equal for images that belong together.
        parts: how many.
        seed: decides which.

    Returns:
        int64 (images,): of each image its part, from 0.
    """
    splits = StratifiedGroupKFold(parts, shuffle=True, random_state=seed).split(labels, labels, groups)
    return spread(_numbered(splits, len(labels)), labels, groups)


def spread(parts: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Move groups so that no class lies whole in one part, where it has two groups.

    Stratified parts balance all classes together: groups of several classes may bring all images of a rare one into
    the part that lacks the others. Who is trained without that part then knows nothing of the class.

    Args:
        parts: int64 (images,), of each image its part; those of a group have the same.
        labels: int64 (images,).
        groups: int64 (images,), equal for images that belong together.

    Returns:
        int64 (images,): as they are where no class lies so; else with as many groups moved as that takes, small ones
        first, into small parts. A class stays where every move would bring another one into its place.
    """
    while len(whole := _whole(parts, labels, groups)):
        sizes = np.bincount(parts)
        concerned, counts = np.unique(groups[np.isin(groups, groups[np.isin(labels, whole)])], return_counts=True)
        moves = (
            np.where(groups == group, part, parts)
            for group in concerned[np.argsort(counts, kind="stable")]
            for part in np.argsort(sizes, kind="stable")
        )
        better = next((moved for moved in moves if len(_whole(moved, labels, groups)) < len(whole)), None)
        if better is None:
            break
        parts = better
    return parts


def _numbered(splits: Iterable[tuple[np.ndarray, np.ndarray]], images: int) -> np.ndarray:
    found = np.zeros(images, np.int64)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        for part, (_, own) in enumerate(splits):
            found[own] = part
    return found


def _whole(parts: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The classes of two groups and more that lie in one part."""
    kinds = [np.bincount(np.unique(np.stack([labels, one]), axis=1)[0]) for one in (parts, groups)]
    return np.flatnonzero((kinds[0] == 1) & (kinds[1] > 1))
