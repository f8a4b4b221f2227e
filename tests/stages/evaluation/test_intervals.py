"""Intervals: published worked examples, every count up to 3,000, and how often they hold the true figure."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import binom

from stages.lib.evaluation import intervals
from stages.lib.evaluation.intervals import Interval, mean_share, scaled_score, share, wilson


def test_wilsons_interval_is_that_of_newcombe():
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263, and 0 of 20; methods 3 and 4.
    assert wilson(81, 263) == Interval(81 / 263, pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    assert share(81, 263) == Interval(81 / 263, pytest.approx(0.2535, abs=5e-5), pytest.approx(0.3682, abs=5e-5))
    assert wilson(0, 20) == Interval(0, 0, pytest.approx(0.1611, abs=5e-5))
    assert share(0, 20) == Interval(0, 0, pytest.approx(0.2005, abs=5e-5))


def proper(found: Interval) -> bool:
    return 0 <= found.low <= found.value <= found.high <= 1


def test_every_count_has_an_interval_that_holds_its_share_and_can_be_drawn():
    """Rounding once left upper ends a hair below 1, which a chart refuses as an error bar."""
    bars = []
    for count in range(1, 3001):
        for right in {0, count // 3, count} if count % 5 == 0 else {count}:
            found = share(right, count)
            assert proper(found)
            assert proper(wilson(right, count))
            bars.append((found.value - found.low, found.high - found.value))
        assert share(count, count).high == 1
        assert share(0, count).low == 0
    plt.errorbar(np.arange(len(bars)), np.zeros(len(bars)), yerr=np.transpose(bars))
    plt.close()


def test_a_mean_of_shares_is_proper_at_any_counts():
    rng = np.random.default_rng(0)
    for _ in range(100):
        counts = rng.integers(1, rng.choice([2, 10, 500]), rng.integers(1, 12), endpoint=True)
        kind = rng.integers(4)
        right = [0 * counts, counts, rng.integers(0, counts + 1), np.maximum(counts - 1, 0)][kind]
        found = mean_share(right, counts)
        assert proper(found)
        assert found.high > found.low
        assert found.value == pytest.approx((right / counts).mean())
        mirrored = mean_share(counts - right, counts)
        assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((found.low, found.high), abs=1e-9)


@pytest.mark.parametrize("count", [1, 2, 5, 12, 50, 200])
def test_a_share_is_held_at_least_nineteen_times_in_twenty_whatever_it_is(count):
    found = [share(right, count) for right in range(count + 1)]
    for true in np.r_[np.linspace(0.5, 0.99, 50), 1 - np.geomspace(1e-4, 0.01, 20)]:
        held = [one.low <= true <= one.high for one in found]
        assert binom.pmf(np.arange(count + 1), count, true)[held].sum() >= 0.945


def test_the_mean_of_one_class_is_about_its_share():
    for right, count in ((0, 30), (12, 30), (29, 30), (30, 30)):
        one, other = mean_share(np.array([right]), np.array([count])), share(right, count)
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.012)


@pytest.mark.parametrize(
    ("sizes", "true"),
    [
        ([200, 40, 15], [0.95, 0.7, 0.8]),
        ([2] * 210, [0.9] * 210),
        ([2] * 210, np.linspace(0.5, 1, 210)),
        ([400, 8], [0.99, 0.6]),
        ([400, 8], [0.6, 0.99]),
        ([5] * 10, [0.97] * 10),
    ],
)
def test_the_mean_of_shares_is_held_nineteen_times_in_twenty(sizes, true):
    rng, counts = np.random.default_rng(1), np.array(sizes)
    found = [mean_share(rng.binomial(counts, true), counts) for _ in range(150)]
    held = np.mean([one.low <= np.mean(true) <= one.high for one in found])
    assert held >= 0.91


@pytest.mark.parametrize(
    ("right", "counts", "low", "high"),
    [
        ([9, 1], [10, 2], 0.3746, 0.9392),
        ([2, 2, 1], [2, 2, 2], 0.3298, 0.9929),
        ([180, 30, 10], [200, 40, 15], 0.6709, 0.8510),
        ([400, 5], [400, 8], 0.6458, 0.9353),
    ],
)
def test_the_mean_of_shares_has_the_interval_whose_coverage_was_measured(right, counts, low, high):
    """A wider one holds the true mean too: after a change on purpose `python -m benchmarks.coverage` says more."""
    found = mean_share(np.array(right), np.array(counts))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_a_score_interval_of_a_binomial_variance_is_wilsons():
    found = scaled_score(0.9, 0.9 * 0.1 / 50, 1e9, lambda true: true * (1 - true) / 50)
    assert (found.low, found.high) == pytest.approx((wilson(45, 50).low, wilson(45, 50).high), abs=1e-6)


def test_a_figure_of_which_no_variance_is_found_has_the_interval_of_the_curve():
    found = scaled_score(1.0, 0.0, 0.0, lambda true: true * (1 - true) / 50)
    assert 0.85 < found.low < wilson(50, 50).low
    assert found.high == 1


def test_the_level_is_that_of_the_report():
    assert intervals.LEVEL == 0.95
