"""No head is asked about a group that it knows, whatever the groups are like."""

import numpy as np
import pytest

from stages.lib.heads import logistic
from stages.lib.heads.cross_validation import clearly_lower, divisions, out_of_fold
from stages.lib.resampling.repeated import resample
from stages.lib.splitting.keys import joined, numbered

RANDOM = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], [30, 24, 18])
COUNT = len(LABELS)
FAMILIES = {
    "each alone": numbered([""] * COUNT),
    "some alone, some of a name": numbered(["" if index % 3 else f"patient{index % 9}" for index in range(COUNT)]),
    "names that look like nothing": numbered([("nan", "None", "0", "0.0", " ")[index % 5] for index in range(COUNT)]),
    "by threes": np.arange(COUNT) // 3,
    "one is huge": np.maximum(np.arange(COUNT), 27),
    "of several classes": RANDOM.permutation(COUNT) // 4,
    "fewer than folds": 3 * LABELS + np.arange(COUNT) % 3,
    "copies of some in other groups": joined(np.arange(COUNT) // 5, np.maximum(np.arange(COUNT) % 30, 6)),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_group_is_held_out_as_a_whole(name):
    groups = FAMILIES[name]
    for division in divisions(LABELS, groups, seed=0):
        assert all(len(set(division[groups == group])) == 1 for group in set(groups.tolist()))
        assert np.bincount(division).min() > 0


@pytest.mark.parametrize("name", [name for name in FAMILIES if not name.startswith("copies")])
def test_shares_of_a_learning_curve_hold_whole_groups_and_every_class(name):
    groups = FAMILIES[name]

    def predict(trained: np.ndarray, asked: np.ndarray) -> np.ndarray:
        assert not set(groups[trained]) & set(groups[asked])
        assert len(asked) > 0
        assert set(LABELS[trained]) == {0, 1, 2}
        for label in (0, 1, 2):
            own = np.flatnonzero(np.equal(LABELS, label))
            known = set(groups[trained][LABELS[trained] == label])
            assert {index for index in own if groups[index] in known} <= set(trained)
        return LABELS[asked]

    found = resample(LABELS, groups, predict, 5, 2, seed=0, shown=False)
    assert (np.diff(found.trained) > 0).all()


def test_candidates_and_strengths_are_judged_by_strangers_alone():
    """Where the images of a group are alike and say nothing of others, who knows one would know them all."""
    groups = np.arange(COUNT) // 3
    own = RANDOM.normal(size=(groups.max() + 1, 40)).astype(np.float32)
    vectors = own[groups] + RANDOM.normal(size=(COUNT, 40), scale=0.01).astype(np.float32)
    strangers, known = (
        out_of_fold(logistic.fit, vectors, LABELS, by, 3, seed=0, folds=3)[0].argmax(axis=1) == LABELS
        for by in (groups, np.arange(COUNT))
    )
    assert strangers.mean() < 0.6
    assert known.mean() > 0.95


def test_few_images_are_divided_several_times_each_time_otherwise():
    """So many times that about two hundred are judged, one after the other seed."""
    found = divisions(np.arange(20) % 2, np.arange(20), seed=0)
    assert found.shape == (10, 20)
    assert len(np.unique(found, axis=0)) == 10
    counts = [len(divisions(np.arange(count) % 2, np.arange(count), seed=0)) for count in (70, 100, 300)]
    assert counts == [2, 2, 1]


@pytest.mark.parametrize(("counts", "folds"), [([20, 2], 5), ([4, 2], 4), ([2, 1], 2)])
def test_the_class_with_the_most_groups_says_how_many_folds_there_can_be(counts, folds):
    labels = np.repeat([0, 2], counts)
    assert divisions(labels, np.arange(len(labels)), seed=0, times=1).max() + 1 == folds
    alone = divisions(np.repeat([0, 2], 6), np.repeat([0, 1], 6), seed=0)
    assert alone.shape == (0, 12), "a group of each class: nothing can be held out"


def test_heads_learn_from_mirror_images_and_are_asked_about_the_mean_of_both():
    vectors = np.arange(24, dtype=np.float32).reshape(12, 2)
    mirrored, labels, asked = -3 * vectors, np.arange(12) % 2, []

    class Head:
        def probabilities(self, some):
            asked.append(some)
            return np.column_stack([some[:, 0], some[:, 1]])

    def fit(own, known, groups, classes, seed, other=None):
        np.testing.assert_array_equal(other[np.arange(len(known))], -3 * own[np.arange(len(known))])
        assert set(groups.tolist()) == set((own[np.arange(len(known))][:, 0] / 2).astype(int).tolist())
        return Head()

    found = out_of_fold(fit, vectors, labels, np.arange(12), 2, 0, mirrored, folds=3)
    assert len(asked) == 3
    np.testing.assert_array_equal(found[0], -vectors)


def test_clearly_lower_is_by_standard_errors_of_the_mean_difference():
    """Gains of 1 and 2: their mean is 1.5 and its standard error 0.5."""
    one, other = np.array([0.0, 0.0, np.nan, 0.0]), np.array([1.0, 2.0, 9.0, np.nan])
    assert clearly_lower(one, other, 2.9)
    assert not clearly_lower(one, other, 3.1)
    assert not clearly_lower(other, one, 0)
