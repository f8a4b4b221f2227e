"""Figures checked against published worked examples and against hand counts."""

import numpy as np
import pytest

from stages.lib import metrics


def bools(right: int, total: int) -> np.ndarray:
    return np.arange(total) < right


def test_wilsons_interval_is_that_of_newcombe():
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263 gives 0.2553 to 0.3662.
    share = metrics.accuracy(bools(81, 263))
    assert (share.value, share.low, share.high) == pytest.approx((81 / 263, 0.2553, 0.3662), abs=5e-5)


def test_wilsons_interval_of_none_right_starts_at_zero():
    # Newcombe (1998): 0 of 20 gives 0 to 0.1611.
    share = metrics.accuracy(bools(0, 20))
    assert (share.low, share.high) == pytest.approx((0, 0.1611), abs=5e-5)


def test_log_loss_of_even_odds_is_log_two_and_of_a_certain_mistake_finite():
    assert metrics.log_loss(np.array([0, 1]), np.full((2, 2), 0.5)) == pytest.approx(np.log(2))
    assert metrics.log_loss(np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(-np.log(1e-7))


def test_roc_auc_is_the_share_of_pairs_in_the_right_order():
    labels, chances = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    assert metrics.roc_auc(labels, np.stack([1 - chances, chances], axis=1)) == pytest.approx(3 / 4)


def test_roc_auc_of_many_classes_is_the_mean_over_the_classes():
    labels = np.array([0, 0, 1, 1, 2, 2])
    chances = np.eye(3)[[0, 0, 1, 1, 2, 0]]
    # Class 0: one of four others ranks as high as both of its own. Class 1: perfect. Class 2: half is found.
    assert metrics.roc_auc(labels, chances) == pytest.approx(((1 + 1 - 0.25 * 0.5 * 2) / 2 + 1 + 0.75) / 3)


def test_the_roc_curve_encloses_its_area():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    score = np.clip(labels * 0.3 + rng.uniform(0, 0.7, 400), 0, 1)
    chances = np.stack([1 - score, score], axis=1)
    curve = metrics.roc(labels, chances)
    assert curve.iloc[0].tolist() == [0, 0]
    assert curve.iloc[-1].tolist() == [1, 1]
    area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
    assert area == pytest.approx(metrics.roc_auc(labels, chances), abs=0.005)


def test_mcnemars_exact_test_is_the_binomial_one():
    # 12 pictures only the first gets right, 3 only the second: 2 * P(X <= 3), X ~ B(15, 1/2) = 1152 / 32768.
    one = np.array([True] * 12 + [False] * 3 + [True] * 85)
    other = np.array([False] * 12 + [True] * 3 + [True] * 85)
    assert metrics.paired_tests(one, [other]) == pytest.approx([1152 / 32768])


def test_holm_multiplies_the_smallest_p_by_the_number_of_comparisons():
    one = np.array([True] * 12 + [False] * 3 + [True] * 85)
    other = np.array([False] * 12 + [True] * 3 + [True] * 85)
    assert metrics.paired_tests(one, [other, one]) == pytest.approx([2 * 1152 / 32768, 1])
    assert metrics.paired_tests(one, []) == []
