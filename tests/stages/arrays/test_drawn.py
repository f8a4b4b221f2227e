"""Some of many images: as many as are allowed, of each class some, by the seed, in their order."""

import numpy as np

from stages.lib.arrays.drawn import drawn


def test_no_more_than_are_allowed_are_all() -> None:
    assert drawn(np.zeros(10, np.int64), 10, 3, 1).tolist() == list(range(10))


def test_as_many_are_drawn_as_are_allowed_by_the_seed_and_in_their_order() -> None:
    """The first ones would be of few days, or of one camera."""
    labels = np.repeat([0, 1], 100)
    first, again, other = (drawn(labels, 50, 10, seed) for seed in (1, 1, 2))
    assert len(first) == len(np.unique(first)) == 50
    assert (np.diff(first) > 0).all()
    assert np.array_equal(first, again)
    assert set(first.tolist()) != set(other.tolist())
    assert any(90 < index < 100 or index > 190 for index in first.tolist())


def test_a_class_of_few_is_drawn_whole_and_more_than_allowed_only_for_such() -> None:
    labels = np.array([0] * 100 + [1] * 3 + [2] * 7)
    found = drawn(labels, 20, 5, 1)
    assert len(found) == 20
    assert (np.bincount(labels[found]) >= [5, 3, 5]).all()
    assert np.bincount(labels[drawn(labels, 10, 5, 1)]).tolist() == [5, 3, 5]
