"""Strengths judged by cross-validation: what each judgement counts, and which strengths are left out early."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from stages.lib.heads import race
from stages.lib.heads.cross_validation import divisions
from stages.lib.heads.linear import of_classes
from stages.lib.heads.scaling import scaling_of
from stages.lib.heads.solver import components_of
from stages.lib.heads.training_images import Training
from stages.lib.heads.trial import Trial, Views, tried
from tests.stages.heads.test_logistic import blobs


def judged(views: Views, divided: np.ndarray, strengths: list[float], *, unit_length: bool = True) -> Trial:
    scaling = scaling_of(views.learned, unit_length)
    found = tried(views, divided, np.array(strengths), scaling, components_of(scaling(views.learned)))
    assert found is not None
    return found


@pytest.mark.parametrize("balanced", [False, True])
def test_the_heads_of_a_fold_are_those_of_scikit_learn_on_the_other_images(balanced: bool) -> None:
    vectors, labels = blobs([24, 12])
    weights = 1 / np.bincount(labels)[labels] if balanced else None
    views = Training(vectors, labels, np.arange(36), 2, weights=weights).views(np.arange(36))
    division = divisions(labels, np.arange(36), 0, folds=2, times=1)
    found = judged(views, division, [3.0])
    said = np.empty((36, 2))
    said[found.images] = softmax(of_classes(found.logits), axis=1)
    rows = scaling_of(vectors, True)(vectors)
    for fold in (0, 1):
        own = division[0] == fold
        head = LogisticRegression(C=1 / 3, max_iter=5000, tol=1e-8)
        head.fit(rows[~own], labels[~own], views.weights[~own])
        np.testing.assert_allclose(said[own], head.predict_proba(rows[own]), atol=0.005)
    right = said.argmax(axis=1) == labels
    assert found.accuracy == pytest.approx([np.average(right, weights=views.weights)])
    assert found.log_loss == pytest.approx([np.mean(views.weights * -np.log(said[np.arange(36), labels]))], abs=1e-4)


def test_an_image_that_is_judged_ten_times_counts_once() -> None:
    """The same division ten times over says no more of any strength than once."""
    vectors, labels = blobs([12, 8])
    weights = np.where(labels == 1, 3.0, 1.0)
    views = Training(vectors, labels, np.arange(20), 2, weights=weights).views(np.arange(20))
    division = divisions(labels, np.arange(20), 0, times=1)
    once, again = (
        judged(views, divided, [10.0, 1.0, 0.1, 0.001]) for divided in (division, np.tile(division, (10, 1)))
    )
    assert len(again.images) == 200
    np.testing.assert_allclose(again.shares, once.shares, rtol=1e-3)
    for one in (once, again):
        np.testing.assert_allclose(np.bincount(one.images, one.each), views.weights)
        np.testing.assert_allclose(one.shares.sum(), 1)
        assert one.shares[one.shares > 0].min() >= race.LEAST_SHARE


def test_shares_are_by_how_likely_each_strength_makes_all_images() -> None:
    vectors, labels = blobs([12, 8])
    views = Training(vectors, labels, np.arange(20), 2).views(np.arange(20))
    found = judged(views, divisions(labels, np.arange(20), 0), [3.0, 1.0, 0.3, 1e-9])
    likely = np.exp(-20 * (found.log_loss - found.log_loss.min()))
    likely[likely < race.LEAST_SHARE * likely.sum()] = 0
    assert likely[-1] == 0
    np.testing.assert_allclose(found.shares, likely / likely.sum())


@pytest.mark.parametrize("averaged", [True, False])
def test_an_image_is_judged_as_the_head_will_see_it(averaged: bool) -> None:
    """Alone, or as the mean of itself and its mirror image; it is learned from as both."""
    vectors, labels = blobs([12, 8])
    mirrored = np.random.default_rng(3).normal(10, 3, vectors.shape).astype(np.float32)
    views = Training(vectors, labels, np.arange(20), 2, mirrored, averaged).views(np.arange(20))
    seen = (vectors + mirrored) / 2 if averaged else vectors
    np.testing.assert_array_equal(views.judged, seen)
    np.testing.assert_array_equal(views.learned, np.vstack([vectors, mirrored]))
    division = divisions(labels, np.arange(20), 0, folds=2, times=1)
    found = judged(views, division, [3.0])
    said = np.empty((20, 2))
    said[found.images] = softmax(of_classes(found.logits), axis=1)
    scaling = scaling_of(views.learned, True)
    for fold in (0, 1):
        own = division[0] == fold
        both = scaling(np.vstack([vectors[~own], mirrored[~own]]))
        head = LogisticRegression(C=1 / 3, max_iter=5000, tol=1e-8)
        head.fit(both, np.tile(labels[~own], 2), np.full(len(both), 0.5))
        np.testing.assert_allclose(said[own], head.predict_proba(scaling(seen[own])), atol=0.01)


def logits_of(losses: np.ndarray) -> np.ndarray:
    """Logits of two classes by which an image of the second one has such a loss."""
    return np.stack([np.zeros_like(losses), -np.log(np.exp(losses) - 1)], axis=-1).astype(np.float32)


@pytest.mark.parametrize(
    ("behind", "differs", "stays"),
    [
        (0.01, 0.0, True),  # of 300 images exp(-3) of the likelihood: a share of 5 %
        (0.03, 0.0, False),  # exp(-9)
        (0.1, 0.5, True),  # less than three standard errors of 0.065
        (0.3, 0.5, False),
    ],
)
def test_a_strength_leaves_the_race_where_it_surely_counts_for_nothing(
    behind: float, differs: float, stays: bool
) -> None:
    each = np.tile([-1.0, 1.0], 30) * differs
    logits = logits_of(np.stack([np.ones(60), 1 + behind + each], axis=1))
    ahead, losses = race.run(lambda _: logits, np.array([0, 1]), np.ones(60, np.int64), np.ones(60), 300)
    assert ahead.tolist() == ([0, 1] if stays else [0])
    np.testing.assert_allclose(losses.mean(axis=0), [1, 1 + behind], rtol=1e-5)


@pytest.mark.parametrize(("behind", "is_so"), [(0.15, False), (0.25, True), (-0.25, False)])
def test_a_scaling_is_behind_by_three_standard_errors(behind: float, is_so: bool) -> None:
    other = np.tile([0.5, 1.5], 30)
    assert race.is_behind(1 + behind + np.zeros(60), other) is is_so


@pytest.mark.parametrize(
    ("first", "others", "of_small", "behind"),
    [
        (0.01, 9.0, 0.01, True),  # much better on the images that are judged first
        (9.0, 0.01, 9.0, False),
        (0.01, 0.01, 2.0, False),  # better for most of them, and much worse where every class counts the same
    ],
)
def test_a_scaling_is_given_up_by_the_losses_of_its_rival_on_the_same_images(
    first: float, others: float, of_small: float, behind: bool
) -> None:
    """Features that say nothing: the loss is that of guessing."""
    labels = np.repeat([0, 1], [270, 30])
    vectors = np.random.default_rng(0).normal(3, 1, (300, 4)).astype(np.float32)
    weights = 1 / np.bincount(labels)[labels]
    views = Training(vectors, labels, np.arange(300), 2, weights=weights).views(np.arange(300))
    division = divisions(labels, np.arange(300), 0)
    losses = np.where(division[0] == 0, np.where(labels == 1, of_small, first), others)
    away = np.log(np.exp(losses) - 1) * np.where(labels == 1, -1, 1)
    known = np.ones(2)
    rival = Trial(False, known, known, known, np.arange(300), np.stack([np.zeros(300), away], axis=1), np.ones(300))
    scaling = scaling_of(views.learned, True)
    found = tried(views, division, np.array([10.0, 1.0]), scaling, components_of(scaling(views.learned)), rival)
    assert (found is None) is behind
