"""Groups by name, and two ways of grouping joined."""

import numpy as np

from stages.lib.splitting.keys import joined, numbered


def test_equal_names_are_one_group_and_those_without_none() -> None:
    assert numbered(["p1", "", "p2", "p1", ""]).tolist() == [0, 1, 2, 0, 3]
    assert numbered([]).dtype == np.int64


def test_joined_groups_are_whole_in_both_ways() -> None:
    copies, patients = np.array([0, 0, 1, -2, -3, 7]), np.array([5, 6, 6, 6, 4, 3])
    found = joined(copies, patients)
    assert found.dtype == np.int64
    assert [found.tolist().index(group) for group in found.tolist()] == [0, 0, 0, 0, 4, 5]
