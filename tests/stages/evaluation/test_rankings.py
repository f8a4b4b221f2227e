"""Areas under the ROC and the precision-recall curve: second libraries, published figures, and their intervals."""

import time
import tracemalloc

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score

from stages.lib.evaluation import rankings, scores

FIGURES = [rankings.roc_auc, rankings.average_precision]


def two_columns(probabilities: np.ndarray) -> np.ndarray:
    return np.stack([1 - probabilities, probabilities], axis=1)


def scored(labels: np.ndarray, classes: int, skill: float, seed: int = 0) -> np.ndarray:
    """Probabilities that know something of the labels."""
    rng = np.random.default_rng(seed)
    weights = np.exp(rng.normal(size=(len(labels), classes)) + skill * np.eye(classes)[labels])
    return weights / weights.sum(axis=1, keepdims=True)


def test_roc_auc_is_the_share_of_pairs_in_the_right_order():
    labels, probabilities = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    assert rankings.roc_auc(labels, two_columns(probabilities)).value == pytest.approx(3 / 4)


def test_roc_auc_of_many_classes_is_the_mean_over_the_classes():
    labels = np.array([0, 0, 1, 1, 2, 2])
    probabilities = np.eye(3)[[0, 0, 1, 1, 2, 0]]
    # Class 0: one of four others ranks as high as both of its own. Class 1: perfect. Class 2: half is found.
    expected = ((1 + 1 - 0.25 * 0.5 * 2) / 2 + 1 + 0.75) / 3
    assert rankings.roc_auc(labels, probabilities).value == pytest.approx(expected)


def test_average_precision_is_the_worked_example_of_scikit_learn():
    labels, probabilities = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    assert rankings.average_precision(labels, two_columns(probabilities)).value == pytest.approx(0.8333, abs=5e-5)


@pytest.mark.parametrize("classes", [2, 3, 12])
@pytest.mark.parametrize("digits", [1, 6])
def test_the_figures_are_those_of_scikit_learn_with_ties_and_without(classes, digits):
    labels = np.random.default_rng(1).permutation(np.arange(97) % classes)
    probabilities = scored(labels, classes, 1.5).round(digits)
    truth = labels if classes == 2 else np.eye(classes)[labels]
    ranked = probabilities[:, 1] if classes == 2 else probabilities
    assert rankings.roc_auc(labels, probabilities).value == pytest.approx(roc_auc_score(truth, ranked))
    assert rankings.average_precision(labels, probabilities).value == pytest.approx(
        average_precision_score(truth, ranked)
    )


def test_the_interval_of_the_roc_auc_agrees_with_hanley_and_mcneil():
    labels = np.random.default_rng(0).integers(0, 2, 600)
    found = rankings.roc_auc(labels, scored(labels, 2, 1.5))
    # Hanley & McNeil (1982), Radiology 143: the standard error of an area under the curve, by another way.
    area, (cats, dogs) = found.value, np.bincount(labels)
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (dogs - 1) * (one - area**2) + (cats - 1) * (two - area**2)
    error = norm.ppf(0.975) * np.sqrt(variance / (cats * dogs))
    assert (found.low, found.high) == pytest.approx((area - error, area + error), abs=0.01)


def test_the_variance_of_the_roc_auc_is_delongs_of_a_small_example():
    """By hand: placements of the cats .75, 1, 1 and .5; of the dogs 1, .75 and so on."""
    own = np.array([True] * 4 + [False] * 4)
    score = np.array([0.6, 0.9, 0.8, 0.5, 0.1, 0.2, 0.55, 0.7])
    area, influence = rankings._area(own, score)
    cats, dogs = np.array([0.75, 1, 1, 0.5]), np.array([1, 1, 0.75, 0.5])
    assert area == cats.mean() == dogs.mean()
    variance, _ = rankings._spread(own.astype(np.int64), influence)
    assert variance == pytest.approx(cats.var(ddof=1) / 4 + dogs.var(ddof=1) / 4)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("sizes", [[6, 6], [2, 9], [1, 9], [60, 60], [1] * 8 + [2, 2], [5] * 10])
def test_a_perfect_ranking_has_an_interval_narrower_with_more_images(figure, sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    widths = []
    for times in (1, 4):
        many = np.tile(labels, times)
        found = figure(many, 0.1 / len(sizes) + 0.9 * np.eye(len(sizes))[many])
        assert found.value == pytest.approx(1)
        assert 0 < found.low < found.high == 1
        widths.append(found.high - found.low)
    assert widths[1] < widths[0]
    assert widths[0] > 0.5 / len(labels)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize(
    ("sizes", "skill"), [([6, 6], 1.3), ([6, 6], 3), ([4, 30], 1.3), ([1] * 8 + [2, 2], 2), ([5] * 10, 1.3)]
)
def test_the_true_figure_is_held_nineteen_times_in_twenty(figure, sizes, skill):
    """Of the test images' number and mixture; a bootstrap held it 13 times at twelve images a class."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    found = [figure(labels, scored(labels, len(sizes), skill, seed)) for seed in range(150)]
    true = np.mean([one.value for one in found])
    assert np.mean([one.low <= true <= one.high for one in found]) >= 0.91


@pytest.mark.parametrize(
    ("sizes", "area", "precision"),
    [
        ([12, 12], (0.9514, 0.7533, 0.9910), (0.9531, 0.7505, 0.9928)),
        ([3] * 4, (0.8889, 0.6591, 0.9678), (0.7597, 0.4508, 0.9241)),
        ([1, 4, 7], (0.9515, 0.6598, 0.9942), (0.9622, 0.5087, 0.9984)),
        ([1, 1, 1, 9], (0.9360, 0.6759, 0.9890), (0.7449, 0.3408, 0.9429)),
    ],
)
def test_intervals_are_those_whose_coverage_was_measured(sizes, area, precision):
    """Wider ones hold the true figure too: after a change on purpose `python -m benchmarks.coverage` says more."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    probabilities = scored(labels, len(sizes), 1.0)
    for figure, expected in zip(FIGURES, (area, precision), strict=True):
        found = figure(labels, probabilities)
        assert (found.value, found.low, found.high) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("figure", FIGURES)
def test_many_images_take_little_time_and_memory(figure):
    labels = np.random.default_rng(0).integers(0, 2, 100_000)
    probabilities = scored(labels, 2, 1.5)
    tracemalloc.start()
    started = time.perf_counter()
    found = figure(labels, probabilities)
    seconds, peak = time.perf_counter() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.low < found.value < found.high
    assert seconds < 2
    assert peak < 50e6


def test_images_of_one_class_are_not_ranked():
    figures = scores.figures_of(np.array([1, 1]), two_columns(np.array([0.3, 0.6])))
    assert figures["roc_auc"] is None
    assert figures["accuracy_low"] is not None


def test_a_class_that_is_not_tested_is_left_out():
    labels, probabilities = (
        np.array([0, 0, 2, 2]),
        np.array([[0.5, 0.1, 0.4], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0, 0.9, 0.1]]),
    )
    expected = (roc_auc_score(labels == 0, probabilities[:, 0]) + roc_auc_score(labels == 2, probabilities[:, 2])) / 2
    assert rankings.roc_auc(labels, probabilities).value == pytest.approx(expected)
