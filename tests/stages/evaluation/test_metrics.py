"""Figures checked against published worked examples, against second libraries and against hand counts."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.metrics import log_loss as log_loss_of_sklearn

from stages.lib.evaluation import curves, intervals, metrics, rankings


def two_columns(probabilities: np.ndarray) -> np.ndarray:
    return np.stack([1 - probabilities, probabilities], axis=1)


def scored(count: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that know something of them."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    weights = np.exp(rng.normal(size=(count, classes)) + 1.5 * np.eye(classes)[labels])
    return labels, weights / weights.sum(axis=1, keepdims=True)


def test_balanced_accuracy_counts_every_class_the_same():
    labels, predicted = np.repeat([0, 1], [90, 10]), np.zeros(100, np.int64)
    found = metrics.balanced_accuracy(labels, predicted)
    assert found.value == balanced_accuracy_score(labels, predicted) == 0.5
    # 90 of 90 and 0 of 10: at the most the second class alone is better than it looks.
    assert 0.5 <= found.high <= 0.5 + intervals.share(0, 10).high / 2 + 0.03


def test_balanced_accuracy_takes_names_of_classes():
    labels, predicted = np.array(["b", "a", "b"]), np.array(["b", "b", "a"])
    assert metrics.balanced_accuracy(labels, predicted).value == 0.25


def test_log_loss_of_even_odds_is_log_two_and_of_a_certain_mistake_finite():
    assert metrics.log_loss(np.array([0, 1]), np.full((2, 2), 0.5)) == pytest.approx(np.log(2))
    assert metrics.log_loss(np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(-np.log(1e-7))


def test_log_loss_is_that_of_scikit_learn():
    labels, probabilities = scored(200, 4)
    assert metrics.log_loss(labels, probabilities) == pytest.approx(log_loss_of_sklearn(labels, probabilities))


def test_brier_score_of_two_classes_is_the_mean_square_and_of_more_their_sum():
    # Worked example of scikit-learn's documentation: 0, 1, 1, 0 with .1, .9, .8, .3.
    labels, probabilities = np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.8, 0.3])
    assert metrics.brier_score(labels, two_columns(probabilities)) == pytest.approx(0.0375)
    labels, probabilities = scored(50, 3)
    assert metrics.brier_score(labels, probabilities) == pytest.approx(
        ((probabilities - np.eye(3)[labels]) ** 2).sum(1).mean()
    )


def test_precision_recall_and_f1_are_counted_by_class():
    labels, predicted = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1, 0])
    table = metrics.per_class(labels, predicted, ["cat", "dog", "owl"]).set_index("class")
    assert table["images"].tolist() == [4, 2, 0]
    assert table.loc["cat", ["precision", "recall"]].tolist() == pytest.approx([2 / 3, 2 / 4], abs=1e-6)
    assert table.loc["dog", "f1"] == pytest.approx(2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2), abs=1e-6)
    assert table.loc["owl", ["precision", "recall", "f1"]].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("counts", "imbalanced"), [((30, 10), True), ((29, 10), False), ((50, 50, 10), True)])
def test_three_to_one_is_imbalanced(counts, imbalanced):
    assert metrics.is_imbalanced(np.repeat(np.arange(len(counts)), counts)) is imbalanced


def test_the_roc_curve_encloses_its_area():
    labels, probabilities = scored(400, 2)
    curve = curves.roc(labels, probabilities)
    assert curve.iloc[0].tolist() == [0, 0]
    assert curve.iloc[-1].tolist() == [1, 1]
    area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
    assert area == pytest.approx(rankings.roc_auc(labels, probabilities).value, abs=0.005)


@pytest.mark.parametrize("classes", [3, 10])
def test_the_roc_curve_is_of_the_classes_that_were_tested(classes):
    labels, probabilities = scored(400, classes)
    kept = labels != classes - 1
    curve = curves.roc(labels[kept], probabilities[kept])
    area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
    assert area == pytest.approx(rankings.roc_auc(labels[kept], probabilities[kept]).value, abs=0.005)


def test_a_model_that_ranks_all_wrong_has_no_area_under_its_curve():
    for each in (2, 3, 10):
        labels = np.repeat([0, 1], each)
        curve = curves.roc(labels, two_columns(np.linspace(0.9, 0.1, 2 * each)))
        assert np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"]) == pytest.approx(0, abs=0.005)
        assert curve.iloc[-1].tolist() == [1, 1]


@pytest.mark.parametrize("count", [6, 12, 40])
def test_the_roc_curve_of_few_images_encloses_its_area(count):
    for seed in range(20):
        labels, probabilities = scored(count, 2, seed)
        if 0 < labels.sum() < count:
            curve = curves.roc(labels, probabilities)
            area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
            assert area == pytest.approx(rankings.roc_auc(labels, probabilities).value, abs=0.005)


@pytest.mark.parametrize("classes", [2, 3])
def test_images_of_a_single_class_have_no_roc_curve(classes):
    labels, probabilities = scored(20, classes)
    assert curves.roc(np.zeros_like(labels), probabilities).empty


def test_reliability_sets_confidence_beside_the_share_that_is_right():
    labels = np.array([1, 1, 0, 1, 0])
    probabilities = two_columns(np.array([0.95, 0.97, 0.96, 0.55, 0.0]))
    table = curves.reliability(labels, probabilities)
    assert table["images"].tolist() == [1, 4]
    assert table["confidence"].tolist() == pytest.approx([0.55, (0.95 + 0.97 + 0.96 + 1) / 4])
    assert table["accuracy"].tolist() == [1, 0.75]
    expected = (1 * abs(1 - 0.55) + 4 * abs(0.75 - 0.97)) / 5
    assert curves.calibration_error(table) == pytest.approx(expected)


def test_a_model_that_means_what_it_says_has_almost_no_calibration_error():
    rng = np.random.default_rng(2)
    probabilities = rng.uniform(size=20_000)
    labels = (rng.uniform(size=20_000) < probabilities).astype(np.int64)
    assert curves.calibration_error(curves.reliability(labels, two_columns(probabilities))) < 0.015


@pytest.mark.parametrize("count", [24, 200, 3000])
def test_a_model_that_means_what_it_says_is_told_from_perfect_one_time_in_twenty(count):
    """Its calibration error is not 0, but about the floor: of 24 images some six points."""
    rng, above, errors = np.random.default_rng(0), 0, []
    probabilities = rng.beta(4, 1, count)
    floor, limit = curves.calibration_floor(two_columns(probabilities))
    for _ in range(300):
        labels = (rng.uniform(size=count) < probabilities).astype(np.int64)
        errors.append(curves.calibration_error(curves.reliability(labels, two_columns(probabilities))))
        above += errors[-1] > limit
    assert floor == pytest.approx(np.mean(errors), rel=0.08)
    assert above / 300 == pytest.approx(0.05, abs=0.04)


def test_a_model_that_is_surer_than_right_lies_above_the_limit():
    labels = np.repeat([0, 1], 50)
    probabilities = np.where(np.arange(100) % 5 == 0, labels, 1 - labels) * 0.96 + 0.02
    error = curves.calibration_error(curves.reliability(labels, two_columns(probabilities)))
    assert error > 2 * curves.calibration_floor(two_columns(probabilities))[1]


def test_a_model_that_is_certain_has_no_floor():
    assert curves.calibration_floor(np.eye(2)[[0, 1, 1]]) == (0, 0)


def test_recall_comes_with_its_interval():
    labels, predicted = np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 1, 1])
    table = metrics.per_class(labels, predicted, ["cat", "dog", "owl"])
    expected = intervals.share(3, 4)
    assert table.loc[0, ["recall_low", "recall_high"]].tolist() == pytest.approx(
        [expected.low, expected.high], abs=1e-6
    )
    assert table.loc[2, ["recall", "recall_low", "recall_high"]].tolist() == [0, 0, 1]


def test_the_weakest_class_is_beside_the_share_of_all_other_images():
    label, others, shown = metrics.weakest(np.array([0.9, 0.2, 0.5]), np.array([90, 10, 10]))
    assert (label, shown) == (1, True)
    assert others == pytest.approx((81 + 5) / 100)


@pytest.mark.parametrize(("right", "shown"), [(14, True), (15, False)])
def test_one_of_many_equal_classes_has_the_lowest_share_in_any_case(right, shown):
    """Of 20 classes with 19 of 20 right: p is 0.0007 and 0.004, twenty times that 0.014 and 0.085."""
    shares = np.array([19] * 9 + [right] + [19] * 10) / 20
    assert metrics.weakest(shares, np.full(20, 20))[::2] == (9, shown)


def test_a_class_that_is_shown_to_be_better_is_not_the_weakest():
    """Ten of five images each, too few to show anything of one of them, beside one that is nearly always right."""
    label, _, shown = metrics.weakest(np.array([0.8] * 10 + [0.99]), np.array([5] * 10 + [500]))
    assert (label, shown) == (0, False)
