"""No class lies whole in one part: what is trained without that part would know nothing of it."""

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from stages.lib.arrays.parts import grouped_parts, spread


def sites(folds: int) -> tuple[np.ndarray, np.ndarray]:
    """Large sites with all classes but the first, and five small ones that have it: these fill the last part."""
    counts = [((1, 2, 3), 60, range(folds - 1)), ((1, 2, 3), 12, range(10, 15)), ((0,), 4, range(10, 15))]
    pairs = [(label, site) for labels, count, of in counts for site in of for label in labels for _ in range(count)]
    labels, groups = np.array(pairs).T
    return labels, groups


def stratified(labels: np.ndarray, groups: np.ndarray, folds: int) -> np.ndarray:
    parts = np.zeros(len(labels), np.int64)
    split = StratifiedGroupKFold(folds, shuffle=True, random_state=1).split(labels, labels, groups)
    for number, (_, own) in enumerate(split):
        parts[own] = number
    return parts


def test_a_class_that_lies_in_one_part_is_spread_by_its_smallest_group() -> None:
    labels, groups = sites(3)
    before = stratified(labels, groups, 3)
    assert len(np.unique(before[labels == 0])) == 1, "else there is nothing to mend"
    after = spread(before, labels, groups)
    assert len(np.unique(after[labels == 0])) == 2
    assert len(np.unique(np.stack([groups, after]), axis=1).T) == len(np.unique(groups)), "groups stay whole"
    assert len(np.unique(groups[before != after])) == 1
    assert set(after) == {0, 1, 2}
    assert np.array_equal(grouped_parts(labels, groups, 3, 1), after)


def test_parts_that_need_no_move_stay_as_they_are() -> None:
    labels, groups = np.repeat([0, 1], 20), np.arange(40) // 2
    parts = stratified(labels, groups, 5)
    assert spread(parts, labels, groups) is parts


def test_a_class_of_one_group_stays_where_it_is() -> None:
    labels, groups = np.array([0, 0, 0, 1, 1, 1, 2]), np.array([0, 1, 2, 3, 4, 5, 6])
    parts = np.array([0, 1, 2, 0, 1, 2, 2])
    assert spread(parts, labels, groups) is parts


def test_where_no_move_helps_it_ends() -> None:
    """Two parts, and each group that one class could give is what holds another one apart."""
    labels = np.array([0, 0, 1, 1, 2, 2])
    groups = np.array([0, 1, 0, 2, 1, 2])
    parts = np.array([0, 0, 0, 1, 0, 1])
    assert np.array_equal(spread(parts, labels, groups), parts)
