"""What the heads of cross-validation learn from and are asked about, and what their answers are worth."""

import numpy as np
import pytest

from stages.lib.arrays.rows import Picked
from stages.lib.evaluation.intervals import mean_share, wilson
from stages.lib.heads import logistic
from stages.lib.resampling.classes import weakest
from stages.lib.resampling.figures import procedure, recalls
from stages.lib.resampling.head import LinearHeads
from stages.lib.resampling.repeated import Resampled

LABELS, GROUPS = np.repeat([0, 1], [12, 6]), np.arange(18) // 2
VECTORS = np.stack([np.arange(18), np.ones(18)], axis=1).astype(np.float32)


class Head:
    def probabilities(self, vectors):
        return np.stack([np.zeros(len(vectors)), vectors[:, 1] - 1.5], axis=1)


@pytest.mark.parametrize(("averaged", "balanced"), [(True, False), (False, True)])
def test_heads_are_asked_as_the_stage_would_ask_and_choose_inside_what_they_learn(averaged, balanced, monkeypatch):
    every, searched, fitted = np.arange(18), [], []
    monkeypatch.setattr(logistic, "search", lambda *given: searched.append(given) or logistic.Search(*[None] * 4))
    monkeypatch.setattr(logistic, "fitted", lambda *given: fitted.append(given) or Head())
    mirrored = VECTORS + np.array([0, 2], np.float32)
    pictures = (Picked([VECTORS], every), Picked([mirrored], every), LABELS, GROUPS, 2, 7)
    heads = LinearHeads(*pictures, averaged=averaged, balanced=balanced)
    trained, asked = np.array([1, 3, 5, 7, 13, 15]), np.array([0, 16])
    # The mean of an image and its mirror has a 2 where the image alone has a 1.
    assert heads.predict(trained, asked).tolist() == [int(averaged)] * 2
    assert heads.chosen_on(np.array([2, 4, 14]))(trained, asked).tolist() == [int(averaged)] * 2
    for (training, *_), rows in zip([*searched, *fitted], (trained, [2, 4, 14], trained, trained), strict=True):
        assert training.vectors[:, 0].tolist() == list(rows)
        assert training.groups.tolist() == GROUPS[rows].tolist()
        assert training.labels.tolist() == LABELS[rows].tolist()
        assert training.averaged is averaged
        counts = np.bincount(LABELS[rows])[LABELS[rows]]
        assert training.weights is None if not balanced else np.allclose(training.weights * counts, 1)


def test_a_class_is_worth_as_many_images_as_its_groups():
    """Six groups of two, of which a quarter is wrong, and three of two, of which half is."""
    right = np.array([True] * 9 + [False] * 3 + [True] * 3 + [False] * 3)[np.newaxis, np.newaxis]
    found = Resampled(LABELS, GROUPS, right, np.zeros((1, 18), int), np.array([9.0]), np.array([9.0]))
    shares, counts = recalls(found)
    assert (shares.tolist(), counts.tolist()) == ([0.75, 0.5], [6, 3])
    least = weakest(found)
    assert (least.label, least.images) == (1, 6)
    assert least.recall == wilson(1.5, 3)


def test_so_it_is_in_balanced_accuracy():
    labels, groups = np.repeat([0, 1], [40, 6]), np.arange(46) // 2
    right = ((np.arange(46) < 30) | (labels == 1))[np.newaxis, np.newaxis]
    found = Resampled(labels, groups, right, np.arange(46)[np.newaxis] % 2, np.array([9.0]), np.array([9.0]))
    assert procedure(found).balanced
    assert procedure(found).figures == [mean_share(np.array([15, 3]), np.array([20, 3]))]


@pytest.mark.parametrize(("counts", "values"), [((6, 6), (1, 0.5, 0.5, 0.5)), ((10, 2), (1, 0.5, 0.3, 0.3))])
def test_the_spread_is_that_of_the_figure_between_single_parts_of_the_largest_share(counts, values):
    """The heads of the smaller share are wrong throughout."""
    labels, parts = np.repeat([0, 1], counts), np.arange(12) % 2
    right = np.zeros((2, 2, 12), bool)
    right[0, 1] = (parts == 0) | (labels == 0)
    right[1, 1] = (labels == 0) & (np.arange(12) < 6)
    found = Resampled(labels, np.arange(12), right, np.tile(parts, (2, 1)), np.array([3.0, 6.0]), np.array([3.0, 6.0]))
    assert procedure(found).spread == pytest.approx(np.std(values, ddof=1))
    assert procedure(found).part == 6
