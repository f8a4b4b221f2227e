"""Calibration by cross-validation with a prior."""

import numpy as np
import pytest

from stages.lib.heads.calibration import factor


def drawn(images: int, sure: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `sure` times what they should be, and labels."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, images)
    labels = (rng.random(images) < 1 / (1 + np.exp(-logits))).astype(int)
    return np.stack([np.zeros(images), sure * logits], axis=1), labels


@pytest.mark.parametrize("sure", [4.0, 0.25])
def test_many_images_correct_what_is_wrong(sure: float) -> None:
    logits, labels = drawn(2000, sure)
    assert factor(logits, labels, np.ones(2000), np.arange(2000) % 5, np.arange(2000)) == pytest.approx(
        1 / sure, rel=0.15
    )


def test_what_is_right_stays_as_it_is() -> None:
    found = [factor(*drawn(60, 1.0, seed), np.ones(60), np.arange(60) % 5, np.arange(60)) for seed in range(20)]
    assert np.median(found) == 1
    assert 0.6 < min(found) <= max(found) < 1.7


def test_images_that_are_all_told_apart_make_nothing_sure_of_itself() -> None:
    labels = np.arange(20) % 2
    logits = np.stack([np.zeros(20), np.where(labels == 1, 2.0, -2.0)], axis=1)
    assert 1 <= factor(logits, labels, np.ones(20), np.arange(20) // 4, np.arange(20)) < 2


def test_an_image_that_is_judged_ten_times_counts_once() -> None:
    """Ten divisions of few images say no more than one of how sure the gain is."""
    for seed in range(20):
        logits, labels = drawn(24, 2.0, seed)
        once = factor(logits, labels, np.ones(24), np.arange(24) % 5, np.arange(24))
        again = np.tile(np.arange(24), 10)
        assert factor(logits[again], labels[again], np.full(240, 0.1), again % 5, again) == pytest.approx(
            once, rel=1e-3
        )


def test_what_only_fits_the_images_it_was_found_on_is_not_taken() -> None:
    """Half of them are too sure and half not sure enough: what one fold asks for makes the other worse."""
    (sure, labels), (unsure, others) = drawn(200, 3.0), drawn(200, 1 / 3, seed=1)
    logits, labels = np.concatenate([sure, unsure]), np.concatenate([labels, others])
    assert factor(logits, labels, np.ones(400), np.arange(400) // 200, np.arange(400)) == 1
    assert factor(logits, labels, np.ones(400), np.arange(400) % 2, np.arange(400)) < 0.8


def test_a_gain_within_its_error_is_none() -> None:
    found = [factor(*drawn(60, 1.3, seed), np.ones(60), np.arange(60) % 5, np.arange(60)) for seed in range(40)]
    assert 0.6 < np.mean(np.array(found) == 1) < 0.95


def test_the_gain_is_of_what_each_image_counts() -> None:
    """Forty images that count for most are too sure, and 160 not sure enough."""
    (sure, labels), (unsure, others) = drawn(40, 3.0), drawn(160, 0.3, seed=1)
    logits, labels = np.concatenate([sure, unsure]), np.concatenate([labels, others])
    heavy, even = np.repeat([4.0, 0.25], [40, 160]), np.ones(200)
    of_many, of_few = (factor(logits, labels, weights, np.arange(200) % 5, np.arange(200)) for weights in (even, heavy))
    assert of_few < 0.5
    assert of_many == 1
