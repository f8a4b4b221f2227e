"""The distance to the training images: far from near, whatever the features are, and back from its file."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist

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


def test_it_is_the_fifth_nearest_by_square_roots_of_features_of_unit_length() -> None:
    """Of a training image the fifth among the others, of which the usual one is 1."""
    near, new = known(60), np.random.default_rng(1).normal(0, 2, (7, 6)).astype(np.float32)
    one, other = ([math.copysign(abs(x) ** 0.5, x) for x in row / np.linalg.norm(row)] for row in (new[0], near[3]))
    sides = [distances.even(part.astype(np.float64)) for part in (new, near)]
    np.testing.assert_allclose(np.stack([sides[0][0], sides[1][3]]), [one, other], rtol=1e-5)
    own, apart = np.sort(cdist(sides[1], sides[1]))[:, 5], np.sort(cdist(*sides))[:, 4]
    distance = distances.fitted(near, 0)
    np.testing.assert_allclose(distance.of(new), apart / np.median(own), rtol=1e-4)
    np.testing.assert_allclose(distance.of(3 * new), distance.of(new), rtol=1e-4)


def test_of_many_training_images_those_that_are_kept_are_of_all_classes() -> None:
    """They come class by class: the first thousand would know nothing of the last class."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 500)
    near = (5 * np.eye(3, 9)[labels] + rng.random((1500, 9))).astype(np.float32)
    distance = distances.fitted(near, 0)
    assert len(distance.points) == distances.MOST
    for label in range(3):
        assert np.median(distance.of(near[labels == label])) == pytest.approx(1, abs=0.2)


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
