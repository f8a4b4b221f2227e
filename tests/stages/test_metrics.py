"""Figures checked against published worked examples, against second libraries and against hand counts."""

import time
import tracemalloc

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score
from sklearn.metrics import log_loss as log_loss_of_sklearn

from stages.lib import curves, metrics, scores


def bools(right: int, total: int) -> np.ndarray:
    return np.arange(total) < right


def two_columns(chances: np.ndarray) -> np.ndarray:
    return np.stack([1 - chances, chances], axis=1)


def scored(count: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that know something of them."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    weights = np.exp(rng.normal(size=(count, classes)) + 1.5 * np.eye(classes)[labels])
    return labels, weights / weights.sum(axis=1, keepdims=True)


def test_wilsons_interval_is_that_of_newcombe():
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263 gives 0.2553 to 0.3662.
    share = metrics.accuracy(bools(81, 263))
    assert (share.value, share.low, share.high) == pytest.approx((81 / 263, 0.2553, 0.3662), abs=5e-5)


def test_wilsons_interval_of_none_right_starts_at_zero():
    # Newcombe (1998): 0 of 20 gives 0 to 0.1611.
    share = metrics.accuracy(bools(0, 20))
    assert (share.low, share.high) == pytest.approx((0, 0.1611), abs=5e-5)


def test_balanced_accuracy_counts_every_class_the_same():
    labels, predicted = np.repeat([0, 1], [90, 10]), np.zeros(100, np.int64)
    found = metrics.balanced_accuracy(labels, predicted)
    assert found.value == balanced_accuracy_score(labels, predicted) == 0.5
    # Half of each of Wilson's limits: 90 of 90, and 0 of 10.
    none = metrics.accuracy(bools(0, 10))
    assert found.high == pytest.approx(0.5 + none.high / 2)


def test_the_interval_of_balanced_accuracy_holds_the_true_one_nineteen_times_in_twenty():
    rng = np.random.default_rng(1)
    labels, true = np.repeat([0, 1, 2], [200, 40, 15]), np.array([0.95, 0.7, 0.8])
    held = 0
    for _ in range(400):
        predicted = np.where(rng.uniform(size=len(labels)) < true[labels], labels, -1)
        found = metrics.balanced_accuracy(labels, predicted)
        held += found.low <= true.mean() <= found.high
    assert held / 400 == pytest.approx(0.95, abs=0.03)


def test_log_loss_of_even_odds_is_log_two_and_of_a_certain_mistake_finite():
    assert metrics.log_loss(np.array([0, 1]), np.full((2, 2), 0.5)) == pytest.approx(np.log(2))
    assert metrics.log_loss(np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(-np.log(1e-7))


def test_log_loss_is_that_of_scikit_learn():
    labels, chances = scored(200, 4)
    assert metrics.log_loss(labels, chances) == pytest.approx(log_loss_of_sklearn(labels, chances))


def test_brier_score_of_two_classes_is_the_mean_square_and_of_more_their_sum():
    # Worked example of scikit-learn's documentation: 0, 1, 1, 0 with .1, .9, .8, .3.
    labels, chances = np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.8, 0.3])
    assert metrics.brier_score(labels, two_columns(chances)) == pytest.approx(0.0375)
    labels, chances = scored(50, 3)
    assert metrics.brier_score(labels, chances) == pytest.approx(((chances - np.eye(3)[labels]) ** 2).sum(1).mean())


def test_roc_auc_is_the_share_of_pairs_in_the_right_order():
    labels, chances = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    assert metrics.roc_auc(labels, two_columns(chances)).value == pytest.approx(3 / 4)


def test_roc_auc_of_many_classes_is_the_mean_over_the_classes():
    labels = np.array([0, 0, 1, 1, 2, 2])
    chances = np.eye(3)[[0, 0, 1, 1, 2, 0]]
    # Class 0: one of four others ranks as high as both of its own. Class 1: perfect. Class 2: half is found.
    expected = ((1 + 1 - 0.25 * 0.5 * 2) / 2 + 1 + 0.75) / 3
    assert metrics.roc_auc(labels, chances).value == pytest.approx(expected)


def test_average_precision_is_the_worked_example_of_scikit_learn():
    labels, chances = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    assert metrics.average_precision(labels, two_columns(chances)).value == pytest.approx(0.8333, abs=5e-5)


def test_the_bootstrap_of_the_roc_auc_agrees_with_hanley_and_mcneil():
    labels, chances = scored(600, 2)
    found = metrics.roc_auc(labels, chances)
    # Hanley & McNeil (1982), Radiology 143: the standard error of an area under the curve, by another way.
    area, (cats, dogs) = found.value, np.bincount(labels)
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (dogs - 1) * (one - area**2) + (cats - 1) * (two - area**2)
    error = norm.ppf(0.975) * np.sqrt(variance / (cats * dogs))
    assert (found.low, found.high) == pytest.approx((area - error, area + error), abs=0.01)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_bootstrap_counts_pictures_as_scikit_learn_does_that_are_there_several_times(classes):
    labels, chances = scored(80, classes)
    chances = chances.round(1)  # so that some are equal
    times = np.random.default_rng(1).integers(0, 4, len(labels))
    again = np.repeat(np.arange(len(labels)), times)
    for name in range(classes):
        ranking = metrics._Ranking(labels == name, chances[:, name])
        truth, score = labels[again] == name, chances[again, name]
        assert metrics._roc_auc(*ranking.above(times)) == pytest.approx(roc_auc_score(truth, score))
        assert metrics._average_precision(*ranking.above(times)) == pytest.approx(average_precision_score(truth, score))


@pytest.mark.parametrize("figure", [metrics.roc_auc, metrics.average_precision])
def test_the_bootstrap_of_many_pictures_takes_little_time_and_memory(figure):
    labels, chances = scored(40_000, 2)
    tracemalloc.start()
    started = time.perf_counter()
    found = figure(labels, chances)
    seconds, peak = time.perf_counter() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.low < found.value < found.high
    assert seconds < 10
    assert peak < 50e6


def test_the_bootstrap_is_the_same_each_time():
    labels, chances = scored(60, 3)
    assert metrics.average_precision(labels, chances) == metrics.average_precision(labels, chances)


def test_a_class_of_one_picture_leaves_the_bootstrap_without_an_interval():
    labels, chances = np.array([0, 0, 0, 1]), two_columns(np.array([0.1, 0.2, 0.6, 0.5]))
    figures = scores.figures_of(labels, chances)
    assert figures["roc_auc"] == pytest.approx(2 / 3)
    assert figures["roc_auc_low"] is None
    assert figures["accuracy_low"] is not None


def test_precision_recall_and_f1_are_counted_by_class():
    labels, predicted = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1, 0])
    table = metrics.per_class(labels, predicted, ["cat", "dog", "owl"]).set_index("class")
    assert table["pictures"].tolist() == [4, 2, 0]
    assert table.loc["cat", ["precision", "recall"]].tolist() == pytest.approx([2 / 3, 2 / 4], abs=1e-6)
    assert table.loc["dog", "f1"] == pytest.approx(2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2), abs=1e-6)
    assert table.loc["owl", ["precision", "recall", "f1"]].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("counts", "imbalanced"), [((30, 10), True), ((29, 10), False), ((50, 50, 10), True)])
def test_three_to_one_is_imbalanced(counts, imbalanced):
    assert metrics.is_imbalanced(np.repeat(np.arange(len(counts)), counts)) is imbalanced


def test_the_roc_curve_encloses_its_area():
    labels, chances = scored(400, 2)
    curve = curves.roc(labels, chances)
    assert curve.iloc[0].tolist() == [0, 0]
    assert curve.iloc[-1].tolist() == [1, 1]
    area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
    assert area == pytest.approx(metrics.roc_auc(labels, chances).value, abs=0.005)


def test_reliability_sets_confidence_beside_the_share_that_is_right():
    labels = np.array([1, 1, 0, 1, 0])
    chances = two_columns(np.array([0.95, 0.97, 0.96, 0.55, 0.0]))
    table = curves.reliability(labels, chances)
    assert table["pictures"].tolist() == [1, 4]
    assert table["confidence"].tolist() == pytest.approx([0.55, (0.95 + 0.97 + 0.96 + 1) / 4])
    assert table["accuracy"].tolist() == [1, 0.75]
    expected = (1 * abs(1 - 0.55) + 4 * abs(0.75 - 0.97)) / 5
    assert curves.calibration_error(table) == pytest.approx(expected)


def test_a_model_that_means_what_it_says_has_almost_no_calibration_error():
    rng = np.random.default_rng(2)
    chances = rng.uniform(size=20_000)
    labels = (rng.uniform(size=20_000) < chances).astype(np.int64)
    assert curves.calibration_error(curves.reliability(labels, two_columns(chances))) < 0.015
