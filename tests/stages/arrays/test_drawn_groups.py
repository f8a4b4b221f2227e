"""`stages.lib.arrays.drawn_groups`: some of many images, by whole groups."""

import numpy as np
import pytest

from stages.lib.arrays.drawn_groups import drawn_groups

LABELS = np.repeat([0, 1], [300, 500])


def several_classes() -> np.ndarray:
    return np.random.default_rng(0).permutation(len(LABELS)) // 8


FAMILIES = {
    "each alone": np.arange(800),
    "by threes": np.arange(800) // 3,
    "of several classes": several_classes(),
    "one is huge": np.maximum(np.arange(800), 250) // 2,
    "all are huge": np.arange(800) // 150,
}


def counts(groups: np.ndarray) -> np.ndarray:
    return np.bincount(groups, minlength=800)


@pytest.mark.parametrize("name", FAMILIES)
def test_of_each_class_what_is_wanted_is_drawn_again_the_same(name):
    groups = FAMILIES[name]
    found = drawn_groups(LABELS, groups, np.array([75, 125]), 3, seed=1)
    assert np.bincount(LABELS[found]).tolist() == [75, 125]
    assert (np.diff(found) > 0).all()
    assert (found == drawn_groups(LABELS, groups, np.array([75, 125]), 3, seed=1)).all()
    assert set(found) != set(drawn_groups(LABELS, groups, np.array([75, 125]), 3, seed=2))
    for label in (0, 1):
        every, some = (set(groups[rows][LABELS[rows] == label]) for rows in (np.arange(800), found))
        assert len(some) >= min(3, len(every))


@pytest.mark.parametrize("name", ["by threes", "of several classes"])
def test_groups_are_whole_but_where_a_class_has_enough(name):
    groups = FAMILIES[name]
    found = drawn_groups(LABELS, groups, np.array([75, 125]), 3, seed=1)
    some, every = counts(groups[found]), counts(groups)
    cut = np.flatnonzero((some > 0) & (some < every))
    # Of several classes: those that one class has no room for any more, though the other has.
    assert len(cut) <= (2 if name == "by threes" else 10)
    # As many groups as so many images are of; one by one they would be of nearly all.
    assert (some > 0).sum() <= 1.2 * (every > 0).sum() / 4 + 2


def test_a_group_is_drawn_with_all_its_classes():
    """Two images of each of two classes in each of a hundred groups: of both classes those of the same groups."""
    labels, groups = np.tile([0, 0, 1, 1], 100), np.repeat(np.arange(100), 4)
    found = drawn_groups(labels, groups, np.array([50, 50]), 3, seed=1)
    assert set(groups[found][labels[found] == 0]) == set(groups[found][labels[found] == 1])
    assert len(np.unique(groups[found])) == 25


def test_a_class_that_has_no_more_is_drawn_whole():
    found = drawn_groups(LABELS, FAMILIES["by threes"], np.array([300, 10]), 3, seed=1)
    assert np.bincount(LABELS[found]).tolist() == [300, 10]


def test_every_image_is_drawn_as_likely_whether_its_group_is_large_or_not():
    """A group of 250 of 500, beside 250 images by themselves: a fifth of each, on average."""
    groups = np.concatenate([np.arange(300), np.full(250, 300), np.arange(301, 551)])
    of_huge = [
        int((groups[drawn_groups(LABELS, groups, np.array([60, 100]), 3, seed)] == 300).sum()) for seed in range(20)
    ]
    assert 44 < np.mean(of_huge) < 56
    assert min(of_huge) > 0
