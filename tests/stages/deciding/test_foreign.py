"""Images of something else: each is another one, and each is judged as it was drawn."""

import numpy as np
import pytest

from stages.lib.deciding import foreign
from stages.lib.drawing.foreign import KINDS
from stages.lib.images.resizing import STRETCH


class Looking:
    """A model of which the feature is a look at the image: 48 of its pixels."""

    size, color, resizing = 32, "rgb", STRETCH

    def both(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        look = pixels[:, 4::8, 4::8].reshape(len(pixels), -1).astype(np.float64)
        return look[:, :2] / 255, look


class Same:
    def of(self, features: np.ndarray) -> np.ndarray:
        return features


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return foreign.judged(Looking(), Same(), seed=3)


@pytest.mark.parametrize("kind", KINDS)
def test_sixty_strangers_are_sixty_and_not_one_of_them_sixty_times(kind, found):
    probabilities, looks = found[kind]
    assert probabilities.shape == (60, 2)
    assert len(np.unique(looks, axis=0)) == 60


def test_kinds_and_seeds_give_others_and_the_same_seed_the_same(found, monkeypatch):
    assert list(found) == list(KINDS)
    assert len(np.unique(np.concatenate([looks for _, looks in found.values()]), axis=0)) == 60 * len(KINDS)
    monkeypatch.setattr(foreign, "IMAGES", 3)
    same, others = (foreign.judged(Looking(), Same(), seed) for seed in (3, 4))
    for kind in KINDS:
        np.testing.assert_array_equal(same[kind][1], found[kind][1][:3])
        assert not (others[kind][1] == same[kind][1]).all(axis=1).any()
