"""No head is asked about a group that it knows, whatever the groups are like."""

import numpy as np
import pytest

from stages.lib.heads import logistic
from stages.lib.heads.cross_validation import divisions, out_of_fold
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
