"""What `logistic.search` takes of two scalings, and what a head is fitted with."""

import numpy as np
import pandas as pd
import pytest

from stages.lib.heads import logistic
from stages.lib.heads.linear import LinearHead
from stages.lib.heads.logistic import STRENGTHS, Choice
from stages.lib.heads.solver import components_of, solve
from stages.lib.heads.training_images import Training
from stages.lib.heads.trial import Trial
from tests.stages.heads.test_logistic import blobs

LABELS = np.repeat([0, 1], [30, 6])


def only(strength: float) -> np.ndarray:
    """Shares of the strengths, all of it that of one."""
    return np.isclose(STRENGTHS, strength).astype(np.float64)


def trial(unit_length: bool, losses: np.ndarray) -> Trial:
    """By which each image, judged once, has such a loss; one of the strengths has all of the head."""
    away = np.log(np.exp(losses) - 1) * np.where(LABELS == 1, -1, 1)
    shares = only(1)
    logits = np.stack([np.zeros(36), away], axis=1)
    return Trial(unit_length, shares, shares, shares, np.arange(36), logits, np.ones(36))


@pytest.mark.parametrize(
    ("gains", "balanced", "unit_length"),
    [
        ((0.1, 0.1), False, False),
        ((-0.1, -0.1), False, True),
        ((0.005, 0.005), False, True),  # of which the standard error is 0.0085
        ((0.2, -0.5), False, False),  # better for most images, and much worse for the small class
        ((0.2, -0.5), True, True),
        ((-0.2, 0.9), False, True),
        ((-0.2, 0.9), True, False),
    ],
)
def test_standardised_features_are_taken_where_they_are_clearly_better(
    gains: tuple[float, float], balanced: bool, unit_length: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the loss that the head trains with: where every class counts the same, a small one may decide."""
    losses = np.full(36, 1.0) - np.array(gains)[LABELS] + np.tile([0.05, -0.05], 18)
    trials = {True: trial(True, np.full(36, 1.0)), False: trial(False, losses)}
    monkeypatch.setattr(logistic, "_tried", lambda views, divided, unit_length, rival=None: trials[unit_length])
    vectors, _ = blobs([30, 6])
    weights = 1 / np.bincount(LABELS)[LABELS] if balanced else None
    found = logistic.search(Training(vectors, LABELS, np.arange(36), 2, weights=weights), 0)
    assert found.choice.unit_length is unit_length
    shares = found.strengths.groupby("unit_length")["share"].sum()
    assert shares[unit_length] == 1
    assert shares[not unit_length] == 0


def test_calibration_is_by_what_each_judgement_counts_and_losses_are_those_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors, labels = blobs([12, 8])
    asked = []
    monkeypatch.setattr(logistic, "factor", lambda *given: asked.append(given) or 0.0)
    weights = np.where(labels == 1, 3.0, 1.0)
    found = logistic.search(Training(vectors, labels, np.arange(20), 2, weights=weights), 0)
    [(logits, own, each, folds, images)] = asked
    assert len(logits) == 200
    np.testing.assert_array_equal(own, labels[images])
    np.testing.assert_allclose(np.bincount(images, each), weights / weights.mean())
    assert all(len(set(folds[images == image])) == 1 for image in range(20))
    assert found.choice.factor == 0
    np.testing.assert_allclose(found.losses, np.log(2))


def test_a_mirror_image_that_is_the_image_changes_nothing() -> None:
    vectors, labels = blobs([30, 20], apart=0.5)
    alone, both = (Training(vectors, labels, np.arange(50), 2, mirrored) for mirrored in (None, vectors))
    for strength in (10, 0.1):
        choice = Choice(True, only(strength), 1.0)
        heads = [logistic.fitted(training, choice, 0) for training in (alone, both)]
        np.testing.assert_allclose(heads[0].logits(vectors), heads[1].logits(vectors), rtol=1e-3, atol=1e-3)
    found = [logistic.search(training, 0) for training in (alone, both)]
    np.testing.assert_allclose(found[0].losses, found[1].losses, rtol=1e-2, atol=1e-3)
    pd.testing.assert_frame_equal(found[0].strengths, found[1].strengths, rtol=1e-2, atol=1e-3)


def test_a_head_is_the_mean_of_those_of_its_strengths_times_its_factor() -> None:
    vectors, labels = blobs([30, 20])
    training = Training(vectors, labels, np.arange(50), 2)
    first, last = only(3), only(0.01)
    one, other = (logistic.fitted(training, Choice(False, each, 1.0), 0).logits(vectors) for each in (first, last))
    mixed = logistic.fitted(training, Choice(False, 0.25 * first + 0.75 * last, 1.7), 0)
    np.testing.assert_allclose(mixed.logits(vectors), 1.7 * (0.25 * one + 0.75 * other), rtol=1e-3, atol=1e-3)


def test_a_choice_is_made_on_some_of_the_images_that_the_head_learns_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.lib.heads.training_images.LEARNED", 60)
    monkeypatch.setattr(logistic, "CHOSEN_ON", 30)
    vectors, labels = blobs([100, 100])
    training = Training(vectors, labels, np.arange(200), 2)
    chosen_on = logistic.search(training, 0).images
    assert len(chosen_on) == 30
    assert set(chosen_on.tolist()) <= set(training.drawn(0).tolist())


def test_two_features_of_an_image_take_twice_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.lib.heads.training_images.MEMORY_BUDGET", 4 * 12 * 100)
    vectors, labels = blobs([100, 100])
    assert Training(vectors, labels, np.arange(200), 2).most == 100
    assert Training(vectors, labels, np.arange(200), 2, vectors).most == 50


@pytest.mark.parametrize("unit_length", [True, False])
def test_a_head_divides_features_by_their_length_only_where_it_was_chosen_so(unit_length: bool) -> None:
    vectors = np.array([[3.0, 4.0], [0.6, -0.8]], np.float32)
    head = LinearHead(np.array([[1.0], [2.0]], np.float32), np.array([0.5], np.float32), unit_length)
    expected = [0.6 + 1.6 + 0.5, 0.6 - 1.6 + 0.5] if unit_length else [3 + 8 + 0.5, 0.6 - 1.6 + 0.5]
    np.testing.assert_allclose(head.logits(vectors), np.column_stack([[0, 0], expected]), rtol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("heaviest", [1.0, 5.0])
def test_a_step_is_by_the_bound_of_the_curvature_of_the_loss(classes: int, heaviest: float) -> None:
    """A longer one leads to another head, since the steps are few: a quarter for two classes, a half for more."""
    vectors, labels = blobs([20, 15, 12][:classes])
    weights = np.where(np.arange(len(labels)) % 7 == 0, heaviest, 1).astype(np.float32)
    components = components_of(vectors)
    found = solve(components, labels, classes, weights[:, np.newaxis], np.array([0.1]), 1)[1:, 0]
    target = labels[:, np.newaxis] == (np.array([1]) if classes == 2 else np.arange(classes))
    shares = weights[:, np.newaxis] / weights.sum()
    upwards = components.rows.T @ (shares * (target - 1 / classes))
    bound = (0.25 if classes == 2 else 0.5) * len(labels) * heaviest / weights.sum() * components.variances
    np.testing.assert_allclose(found, upwards / (bound[:, np.newaxis] + 0.1), rtol=1e-3, atol=1e-6)
