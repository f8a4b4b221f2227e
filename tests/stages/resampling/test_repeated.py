"""Repeated cross-validation: who is judged by whom, and what the figures say. Heads here answer without learning."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from stages.lib.evaluation.intervals import different
from stages.lib.resampling import repeated
from stages.lib.resampling.classes import weakest
from stages.lib.resampling.figures import procedure
from stages.lib.resampling.learning_curve import growth
from stages.lib.resampling.repeated import Predict, Resampled, repeats_of, resample

LABELS = np.repeat([0, 1, 2], [24, 16, 8])


def always_right(_trained: np.ndarray, asked: np.ndarray) -> np.ndarray:
    return LABELS[asked]


def found(right: np.ndarray, labels: np.ndarray, trained: list[float]) -> Resampled:
    """What resampling would have found: `right` float64 (shares, images), the share of ten repeats."""
    tenths = np.arange(10)[:, np.newaxis, np.newaxis] < np.round(10 * right)
    parts = np.tile(np.arange(len(labels)) % 5, (10, 1))
    return Resampled(labels, np.arange(len(labels)), tenths, parts, np.array(trained), np.array(trained))


def test_no_head_judges_an_image_whose_copy_it_knows() -> None:
    groups = np.arange(len(LABELS)) // 2
    asked: list[np.ndarray] = []

    def predict(trained: np.ndarray, own: np.ndarray) -> np.ndarray:
        assert not set(groups[trained]) & set(groups[own])
        assert set(LABELS[trained]) == {0, 1, 2}
        asked.append(own)
        return LABELS[own]

    result = resample(LABELS, groups, predict, 4, 3, seed=1)
    assert result.right.shape == (3, 2, 48)
    assert result.right.all()
    # Each image once for each share and repeat.
    assert np.bincount(np.concatenate(asked)).tolist() == [6] * 48


def test_smaller_shares_lie_inside_larger_ones_and_hold_every_class() -> None:
    seen: dict[tuple[int, ...], list[set[int]]] = {}

    def predict(trained: np.ndarray, own: np.ndarray) -> np.ndarray:
        seen.setdefault(tuple(own), []).append(set(trained.tolist()))
        return LABELS[own]

    result = resample(LABELS, np.arange(48), predict, 4, 1, seed=1)
    assert result.trained.tolist() == sorted(result.trained)
    for nested in seen.values():
        assert all(small < large for small, large in pairwise(nested))
        assert all(np.bincount(LABELS[list(one)], minlength=3).min() >= 2 for one in nested)


def test_the_smallest_class_limits_the_parts() -> None:
    labels = np.repeat([0, 1], [20, 3])
    result = resample(labels, np.arange(23), lambda _, own: labels[own], 5, 2, seed=1)
    assert result.parts.max() == 2


def test_the_same_seed_gives_the_same_parts() -> None:
    one, same, other = (resample(LABELS, np.arange(48), always_right, 4, 2, seed).parts for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])


def test_repeats_are_more_where_images_are_few() -> None:
    assert [repeats_of("auto", count) for count in (40, 500, 5000)] == [5, 4, 1]
    assert repeats_of(3, 5000) == 3


def test_the_figure_is_the_share_of_repeats_in_which_images_are_right() -> None:
    right = np.concatenate([np.full(50, 0.9), np.full(50, 0.5)])[np.newaxis]
    figure = procedure(found(right, np.repeat([0, 1], 50), [80]))
    assert not figure.balanced
    assert figure.figures[-1].value == pytest.approx(0.7)
    assert figure.figures[-1].low < 0.65
    assert figure.figures[-1].high > 0.75


def test_a_perfect_procedure_is_not_surer_than_its_images_allow() -> None:
    figure = procedure(found(np.ones((1, 20)), np.repeat([0, 1], 10), [16])).figures[-1]
    assert figure.value == 1
    assert figure.low < 0.9


def test_copies_count_as_one_image() -> None:
    assert different(np.arange(10)) == 10
    assert different(np.arange(10) // 2) == 5
    labels, right = np.repeat([0, 1], 20), np.full((1, 40), 0.8)
    alone = found(right, labels, [32])
    pairs = Resampled(labels, np.arange(40) // 2, alone.right, alone.parts, alone.trained, alone.different)
    wide, narrow = (procedure(one).figures[-1] for one in (pairs, alone))
    assert wide.low < narrow.low


def test_imbalanced_classes_count_the_same() -> None:
    labels = np.repeat([0, 1], [90, 10])
    right = np.concatenate([np.ones(90), np.full(10, 0.5)])[np.newaxis]
    figure = procedure(found(right, labels, [80]))
    assert figure.balanced
    assert figure.figures[-1].value == pytest.approx(0.75)


def curve(errors: list[float], images: int = 400) -> Resampled:
    """As many images wrong at each share as its error says, those of a larger share also wrong at a smaller one."""
    places = np.random.default_rng(0).permutation(images)
    right = np.array([(places >= error * images).astype(float) for error in errors])
    return found(right, np.arange(images) % 2, [40.0, 80.0, 160.0, 320.0])


@pytest.mark.parametrize("errors", [[0.4, 0.3, 0.225, 0.17], [0.08, 0.06, 0.045, 0.034]])
def test_a_power_law_goes_on(errors: list[float]) -> None:
    result = curve(errors)
    more = growth(result, procedure(result), seed=1)
    assert more is not None
    # A quarter of the error less with each doubling, or the floor is near: between that and nothing.
    assert 0.05 * errors[-1] < more.gain.value < 0.26 * errors[-1]
    assert more.gain.low < more.gain.value < more.gain.high
    assert more.figure.value == pytest.approx(1 - errors[-1] + more.gain.value, abs=0.002)


def test_a_large_group_makes_no_curve_flat() -> None:
    """It comes with the whole of the images: many more, and nothing that is new."""
    result = curve([0.4, 0.3, 0.225, 0.17])
    grouped = replace(result, trained=np.array([40.0, 80.0, 160.0, 2000.0]))
    assert growth(grouped, procedure(grouped), seed=1) == growth(result, procedure(result), seed=1)


def test_images_of_a_group_are_different_once() -> None:
    labels = np.repeat([0, 1], [100, 40])
    groups = np.where(np.arange(140) < 60, 0, np.arange(140))
    result = resample(labels, groups, lambda _, own: labels[own], 4, 1, seed=1)
    # Three quarters of 41 and of 40; each share of them, whether the large group is among the images or not.
    assert result.different == pytest.approx(np.array([0.125, 0.25, 0.5, 1]) * 0.75 * 81, abs=2)
    assert result.trained[-1] == 105


def test_a_flat_curve_promises_nothing() -> None:
    result = curve([0.1, 0.1, 0.1, 0.1])
    more = growth(result, procedure(result), seed=1)
    assert more is not None
    assert more.gain.value == pytest.approx(0, abs=0.002)
    assert more.gain.low < 0


def test_a_curve_that_rises_promises_no_loss_either() -> None:
    """More images make no head worse: what is below 0 is the luck of which will come."""
    result = curve([0.1, 0.15, 0.2, 0.25])
    more = growth(result, procedure(result), seed=1)
    assert more is not None
    assert more.gain.value == pytest.approx(0, abs=0.002)
    assert -0.03 < more.gain.low < 0


def test_which_images_a_smaller_share_has_is_decided_by_the_seed_and_the_repeat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repeated, "stratified_parts", lambda labels, *_: np.arange(len(labels)) % 4)
    seen: list[tuple[int, ...]] = []

    def predict(trained: np.ndarray, own: np.ndarray) -> np.ndarray:
        if len(trained) < 36:
            seen.append(tuple(trained))
        return LABELS[own]

    for seed in (1, 2):
        resample(LABELS, np.arange(48), predict, 4, 2, seed)
    assert len(set(seen)) == len(seen) == 2 * 2 * 4 * 2, "seeds, repeats, parts, shares"


def test_no_error_leaves_no_gain_and_still_an_interval() -> None:
    result = curve([0.0, 0.0, 0.0, 0.0], images=40)
    more = growth(result, procedure(result), seed=1)
    assert more is not None
    assert more.gain.value == 0
    assert more.figure.low < 0.95


def test_one_number_of_images_predicts_nothing() -> None:
    result = found(np.ones((1, 20)), np.repeat([0, 1], 10), [16])
    assert growth(result, procedure(result), seed=1) is None


def test_the_class_that_needs_images_is_named_where_it_is_shown() -> None:
    labels = np.repeat([0, 1, 2], 50)
    clear = weakest(found(np.repeat([0.9, 0.9, 0.4], 50)[np.newaxis], labels, [120]))
    assert (clear.label, clear.stands_out, clear.images) == (2, True, 50)
    assert clear.recall.low < 0.4 < clear.recall.high < clear.others
    chance = weakest(found(np.repeat([0.9, 0.9, 0.8], 50)[np.newaxis], labels, [120]))
    assert (chance.label, chance.stands_out) == (2, False)


def test_a_class_of_few_images_hides_none_that_is_shown() -> None:
    """Two of three are found, which may be chance, and of 100 in another class 70, which is none."""
    counts, hits = [100, 100, 3, 100], [100, 70, 2, 100]
    right = np.concatenate([np.arange(count) < hit for count, hit in zip(counts, hits, strict=True)])
    one = weakest(found(right[np.newaxis], np.repeat(range(4), counts), [200]))
    assert (one.label, one.stands_out) == (1, True)


def test_a_choice_is_made_on_images_that_it_does_not_predict() -> None:
    groups, asked_for = np.arange(48) // 2, []

    def chosen_on(images: np.ndarray) -> Predict:
        asked_for.append(images)

        def predict(trained: np.ndarray, asked: np.ndarray) -> np.ndarray:
            assert not set(groups[images]) & set(groups[asked])
            assert not set(groups[trained]) & set(groups[asked])
            return LABELS[asked]

        return predict

    found = resample(LABELS, groups, always_right, 5, 3, seed=1, chosen_on=chosen_on)
    assert found.right.all()
    assert len(asked_for) == 2 * 3
    assert all(set(LABELS[images]) == set(LABELS) for images in asked_for)


def test_no_head_is_asked_for_a_class_of_which_all_images_were_held_out():
    """Five small sites have a rare class, two large ones all others: stratified, the small ones are one part."""
    sizes = [(label, site, 60) for site in range(2) for label in (1, 2, 3)]
    sizes += [(label, site, 12 if label else 4) for site in range(2, 7) for label in range(4)]
    labels, groups = np.concatenate([np.full((count, 2), (label, site)) for label, site, count in sizes]).T

    def known(trained, asked):
        return np.where(np.isin(labels[asked], labels[trained]), labels[asked], -1)

    found = resample(labels, groups, known, 3, 2, 1)
    assert found.right.all()
