"""Comparisons by balanced accuracy: every class counts the same, however few images it has."""

import numpy as np
import pytest
from scipy.stats import norm

from benchmarks.verdicts import MODELS, measure
from stages.lib.comparison.balanced_comparisons import (
    Disagreements,
    balanced_difference,
    balanced_images_needed,
    balanced_test,
    disagreements,
)
from stages.lib.comparison.comparisons import compare, compare_all, measure_of
from stages.lib.comparison.paired_accuracies import images_needed
from stages.lib.evaluation.metrics import balanced_accuracy


def counted(images: list[int], only_one: list[int], only_other: list[int]) -> Disagreements:
    return Disagreements(np.array(images), np.array(only_one), np.array(only_other))


def right_on(*shares: tuple[int, int]) -> np.ndarray:
    """Class by class, so many images of so many are right."""
    return np.concatenate([np.arange(images) < right for right, images in shares])


def test_a_model_that_always_says_the_largest_class_is_worse():
    # 40 ill and 360 well: 0.90 and 0.90 before, never "ill" after; plain accuracy falls by no more than a chance would.
    labels = np.repeat(["ill", "well"], [40, 360])
    before, after = right_on((36, 40), (324, 360)), right_on((0, 40), (360, 360))
    assert compare("after", "before", after, before).verdict == "no difference shown"
    found = compare("after", "before", after, before, labels)
    assert (found.measure, found.verdict) == ("balanced_accuracy", "worse")
    assert found.difference.value == pytest.approx(-0.4)
    assert found.difference.high < -0.2
    assert found.p_value < 1e-6
    assert found.swapped().verdict == "better"
    assert found.swapped() == compare("before", "after", before, after, labels)


def test_a_rare_class_that_is_lost_is_worse_though_more_images_are_right():
    labels = np.repeat(["rare", "common"], [30, 570])
    before, after = right_on((26, 30), (500, 570)), right_on((0, 30), (565, 570))
    assert compare("after", "before", after, before).verdict == "better"
    assert compare("after", "before", after, before, labels).verdict == "worse"


def test_balanced_images_are_compared_by_accuracy():
    labels = np.repeat([0, 1], 50)
    one, other = right_on((45, 50), (45, 50)), right_on((30, 50), (45, 50))
    assert compare("one", "other", one, other, labels) == compare("one", "other", one, other)
    assert measure_of(np.repeat([0, 1], [10, 29])) == "accuracy"
    assert measure_of(np.repeat([0, 1], [10, 30])) == "balanced_accuracy"


def test_all_pairs_are_of_the_measure_that_counts():
    labels = np.repeat([0, 1], [10, 30])
    rights = {name: right_on((right, 10), (25, 30)) for name, right in (("a", 2), ("b", 9), ("c", 9))}
    found = compare_all(rights, labels)
    assert {pair.measure for pair in found} == {"balanced_accuracy"}
    assert [pair.difference.value for pair in found] == pytest.approx([-0.35, -0.35, 0])
    assert [pair.needed is None for pair in found] == [False, False, True]
    # Of three comparisons the strictest step is at a third of .05.
    alone = compare("a", "b", rights["a"], rights["b"], labels)
    assert alone.needed is not None
    assert found[0].needed == balanced_images_needed(disagreements(rights["a"], rights["b"], labels), 3)
    assert found[0].needed == found[0].swapped().needed
    assert found[0].needed > alone.needed
    flipped = found[0].swapped().by_class
    assert flipped is not None
    assert flipped.difference == pytest.approx(0.35)


def test_the_difference_is_that_of_the_balanced_accuracies():
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 300, p=[0.05, 0.15, 0.3, 0.5])
    said = [np.where(rng.random(300) < skill, labels, 3) for skill in (0.9, 0.5)]
    found = disagreements(*(one == labels for one in said), labels)
    values = [balanced_accuracy(labels, one).value for one in said]
    assert found.difference == pytest.approx(values[0] - values[1])
    assert found.images.tolist() == np.bincount(labels).tolist()


def test_a_class_without_images_does_not_count():
    one, other = np.array([True, False, True]), np.array([False, False, True])
    assert disagreements(one, other, np.array([0, 0, 7])).images.tolist() == [2, 1]


@pytest.mark.parametrize("images", [[40, 360], [5, 7, 300], [1, 1, 1, 9], [2000, 9000]])
def test_the_interval_holds_zero_just_where_the_test_shows_nothing(images):
    rng = np.random.default_rng(1)
    counts, shown = np.array(images), set()
    for _ in range(300):
        one, other, _rest = rng.multinomial(counts, rng.dirichlet([0.4, 0.4, 2], len(counts))).T
        found = Disagreements(counts, one, other)
        interval, p = balanced_difference(found), balanced_test(found)
        assert -1 <= interval.low <= interval.value <= interval.high <= 1
        assert (p < 0.05) == (not interval.low <= 0 <= interval.high)
        needed = balanced_images_needed(found)
        assert needed is None or p < 0.05 or needed > counts.sum()
        shown.add(p < 0.05)
    assert shown == ({True, False} if sum(images) > 12 else {False})


def test_models_that_never_differ_are_not_told_apart():
    found = counted([3, 400], [0, 0], [0, 0])
    assert balanced_test(found) == 1
    assert balanced_images_needed(found) is None
    interval = balanced_difference(found)
    # Three images on which neither was better do not say that the class is without difference.
    assert interval.high > 0.1
    assert interval.low == pytest.approx(-interval.high)


def test_differences_that_cancel_out_are_none():
    assert balanced_images_needed(counted([3, 6], [1, 0], [0, 2])) is None


def test_one_class_needs_as_many_images_as_accuracy_does():
    assert balanced_images_needed(counted([10000], [480], [300])) == pytest.approx(
        images_needed(480, 300, 10000), rel=0.01
    )


@pytest.mark.parametrize(
    ("images", "one", "other"), [([50, 450], [6, 20], [2, 10]), ([100, 300, 600], [9] * 3, [2] * 3)]
)
def test_with_the_images_needed_the_test_finds_the_difference_four_times_in_five(images, one, other):
    found = counted(images, one, other)
    needed = balanced_images_needed(found)
    assert needed is not None
    counts = np.rint(found.images * needed / sum(images)).astype(int)
    shares = np.c_[found.only_one, found.only_other, found.images - found.only_one - found.only_other]
    rng = np.random.default_rng(2)
    shown = [
        balanced_test(Disagreements(counts, *rng.multinomial(counts, shares / found.images[:, None]).T[:2])) < 0.05
        for _ in range(2000)
    ]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("models", MODELS)
@pytest.mark.parametrize(("images", "classes", "mix"), [(12, 2, 3), (50, 10, 20), (200, 2, 20), (1000, 100, 3)])
def test_level_and_coverage_by_simulation(images, classes, mix, models):
    found = measure(images, classes, mix, models, 600, np.random.default_rng(3))
    error = norm.ppf(0.9999) * np.sqrt(0.05 * 0.95 / 600)
    assert found.covered >= 0.95 - error - 0.01
    assert found.at_odds == 0
    assert found.difference > 1e-9 or found.shown <= 0.05 + error
