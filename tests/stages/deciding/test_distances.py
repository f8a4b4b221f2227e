"""The distance to the training images: far from near, whatever the features are, and back from its file."""

import numpy as np
import pytest

from stages.lib.deciding import distances, limits


def known(count: int, channels: int = 6) -> np.ndarray:
    return np.random.default_rng(0).normal(3, 1, (count, channels)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 4, 1500])
def test_it_tells_far_from_near_and_reads_back(count: int, tmp_path) -> None:
    near = known(count)
    distance, far = distances.fitted(near, 0), near[:1] * [1, -1, 1, -1, 1, -1]
    assert distance.of(near[:1])[0] < distance.of(far)[0]
    distances.write(distance, tmp_path / "a.npz")
    distances.write(distance, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    whole = distance.of(near)
    np.testing.assert_array_equal(distances.read(tmp_path / "a.npz").of(near), whole)
    np.testing.assert_allclose(np.concatenate([distance.of(near[:700]), distance.of(near[700:])]), whole, atol=1e-6)


def test_one_is_the_usual_distance_whatever_the_features_are_measured_in() -> None:
    near = known(400, 40)
    usual = np.median(distances.fitted(near[:300], 0).of(near[300:]))
    assert usual == pytest.approx(1, abs=0.2)
    assert np.median(distances.fitted(1e4 * near[:300], 0).of(1e4 * near[300:])) == pytest.approx(usual, rel=1e-4)


@pytest.mark.parametrize("one", [0.0, 1.0, 1e4])
def test_images_that_are_all_the_same_are_known(one: float) -> None:
    same = np.full((120, 50), one, np.float32) * np.linspace(0, 1, 50, dtype=np.float32)
    distance = distances.fitted(same, 0)
    limit, _ = limits.unknown_above(distance.of(same), 0.99)
    assert (distance.of(same * np.float32(1 + 1e-6)) <= limit).all()
    other = np.random.default_rng(0).random((3, 50), np.float32)
    assert (distance.of(other) > limit).all()


def test_features_that_are_no_numbers_are_far_from_all() -> None:
    distance = distances.fitted(known(20), 0)
    assert not (distance.of(np.array([[np.nan] * 6, [np.inf] * 6], np.float32)) <= 1e9).any()
