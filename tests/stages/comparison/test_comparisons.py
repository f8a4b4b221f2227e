"""Comparisons of two models, checked against published worked examples and a second library."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from stages.lib.comparison.comparisons import (
    compare,
    compare_all,
    corrected,
    lower_bound,
)
from stages.lib.comparison.paired_accuracies import images_needed, paired_difference


def models(both: int, only_one: int, only_other: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether each of two models is right, from the counts of a table."""
    counts = (both, only_one, only_other, neither)
    one, other = [True, True, False, False], [True, False, True, False]
    return np.repeat(one, counts), np.repeat(other, counts)


def test_the_difference_is_that_of_newcombe():
    # Newcombe (1998), Statistics in Medicine 17, 2635-2650, table II, method 10: 36, 12, 2, 0.
    found = paired_difference(*models(36, 12, 2, 0))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0569, 0.3404), abs=5e-5)


def test_the_difference_and_the_test_are_those_of_fagerland():
    # Fagerland, Lydersen & Laake (2014), the airways of 21 children: 1, 1, 7, 12.
    found = compare("before", "after", *models(1, 1, 7, 12))
    assert (found.difference.low, found.difference.high) == pytest.approx((-0.507, -0.026), abs=5e-4)
    assert found.p_value == pytest.approx(0.0703, abs=5e-5)
    assert found.verdict == "no difference shown"


def test_mcnemars_exact_test_is_the_binomial_one():
    found = compare("one", "other", *models(85, 12, 3, 0))
    assert found.p_value == pytest.approx(binomtest(3, 15, 0.5).pvalue)
    assert (found.only_one, found.only_other, found.images) == (12, 3, 100)


def test_holm_multiplies_the_smallest_p_by_the_number_of_comparisons():
    one, other = models(85, 12, 3, 0)
    found = compare_all({"one": one, "other": other, "same": one})
    assert [(c.one, c.other) for c in found] == [("one", "other"), ("one", "same"), ("other", "same")]
    alone = binomtest(3, 15, 0.5).pvalue
    assert [c.p_value for c in found] == pytest.approx([3 * alone, 1, 3 * alone])
    assert corrected([]) == []


def test_a_single_model_is_compared_with_nothing():
    assert compare_all({"one": np.array([True, False])}) == []


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [((60, 30, 5, 5), "better"), ((60, 5, 30, 5), "worse"), ((80, 8, 7, 5), "no difference shown")],
)
def test_the_verdict_and_its_mirror(counts, verdict):
    found = compare("one", "other", *models(*counts))
    assert found.verdict == verdict
    mirrored = {"better": "worse", "worse": "better"}.get(verdict, verdict)
    assert found.swapped().verdict == mirrored
    assert found.swapped() == compare("other", "one", *reversed(models(*counts)))


def test_equal_models_are_told_apart_by_no_number_of_images():
    assert images_needed(9, 9, 100) is None


@pytest.mark.parametrize("comparisons", [1, 3, 10])
@pytest.mark.parametrize(("only_one", "only_other"), [(30, 18), (12, 2), (150, 110), (2, 5)])
def test_with_the_images_needed_the_test_finds_the_difference_four_times_in_five(only_one, only_other, comparisons):
    needed = images_needed(only_one, only_other, 1000, comparisons)
    assert needed is not None
    share, lean = (only_one + only_other) / 1000, max(only_one, only_other) / (only_one + only_other)
    # The power of the exact test, over every number of images on which the models may differ.
    power = 0.0
    for differing in range(1, needed + 1):
        if (weight := binom.pmf(differing, needed, share)) < 1e-9:
            continue
        wins = np.arange(differing + 1)
        p_values = np.minimum(1, 2 * binom.cdf(np.minimum(wins, differing - wins), differing, 0.5))
        power += weight * binom.pmf(wins[p_values < 0.05 / comparisons], differing, lean).sum()
    assert power == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("comparisons", [1, 3, 10])
def test_where_no_difference_is_shown_more_images_are_needed_than_there_are(comparisons):
    for images in (5, 6, 8, 9, 12, 30):
        for only_one in range(1, images + 1):
            p = binomtest(only_one, only_one).pvalue * comparisons
            needed = images_needed(only_one, 0, images, comparisons)
            assert p < 0.05 or needed > images, (images, only_one)


def test_images_needed_know_how_many_comparisons_are_made_together():
    one, other = models(85, 12, 3, 0)
    alone = compare("one", "other", one, other)
    together = compare_all({"one": one, "other": other, "third": models(80, 5, 5, 10)[1]})[0]
    assert alone.needed == images_needed(12, 3, 100)
    assert together.needed == images_needed(12, 3, 100, 3) > alone.needed


def test_no_disagreement_leaves_an_interval_around_zero():
    found = compare("one", "other", *models(80, 0, 0, 4))
    assert found.p_value == 1
    assert found.difference.low < 0 < found.difference.high
    assert found.difference.low == pytest.approx(-found.difference.high)


@pytest.mark.parametrize(("only_one", "only_other"), [(0, 0), (3, 3), (0, 4), (20, 2)])
def test_the_lower_bound_is_the_lower_end_of_an_interval_at_90_per_cent(only_one, only_other):
    right, other = np.ones((2, 200), bool)
    other[:only_one] = False
    right[only_one : only_one + only_other] = False
    for labels, wide in ((np.arange(200) % 2, False), (np.arange(200) < 40, True)):
        found = compare("a", "b", right, other, labels)
        bound = lower_bound(right, other, labels)
        assert found.difference.low < bound < found.difference.value
        assert (found.measure == "balanced_accuracy") is wide
    # A model beside itself: what so many images can tell.
    if only_one == only_other == 0:
        assert -0.03 < lower_bound(right, other, np.arange(200) % 2) < 0
        few = slice(0, 60)
        assert lower_bound(right[few], other[few], np.arange(60) % 2) < -0.03


@pytest.mark.parametrize("images", [60, 400])
def test_a_model_that_is_worse_by_the_margin_passes_at_most_once_in_twenty(images):
    rng = np.random.default_rng(0)
    labels, passed = np.arange(images) % 2, 0
    for _ in range(400):
        kind = rng.choice(3, images, p=[0.95, 0.04, 0.01])
        passed += lower_bound(kind != 1, kind != 2, labels) > -0.03
    assert passed <= 400 * 0.08
