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
    assert factor(logits, labels, np.ones(2000), np.arange(2000) % 5) == pytest.approx(1 / sure, rel=0.15)


def test_what_is_right_stays_as_it_is() -> None:
    found = [factor(*drawn(60, 1.0, seed), np.ones(60), np.arange(60) % 5) for seed in range(20)]
    assert np.median(found) == 1
    assert 0.6 < min(found) <= max(found) < 1.7


def test_images_that_are_all_told_apart_make_nothing_sure_of_itself() -> None:
    labels = np.arange(20) % 2
    logits = np.stack([np.zeros(20), np.where(labels == 1, 2.0, -2.0)], axis=1)
    assert 1 <= factor(logits, labels, np.ones(20), np.arange(20) // 4) < 2
