"""Heat lies on what decides."""

import numpy as np
import pytest

from smallset.explanation.heat import heat_of, overlay
from smallset.explanation.occlusion import occlusion


class LooksAtOnePlace:
    """Says "bright" the more, the brighter a corner of 16 x 16 pixels is; sure of itself by `scale`."""

    classes = ("dark", "bright", "other")

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        bright = self.scale * (pixels[:, :16, 48:].mean(axis=(1, 2, 3)) / 255 - 0.5)
        logits = np.stack([-bright, bright, np.zeros(len(pixels))], axis=1)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("scale", [1.0, 12.0])
def test_heat_lies_where_covering_makes_the_class_less_likely(scale: float) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:16, 48:] = 255
    heat = heat_of(LooksAtOnePlace(scale), pixels, "bright")
    assert heat.shape == (8, 8)
    assert heat.max() == 1
    assert heat[:2, 6:].min() > 0.3
    assert heat[4:].max() == heat[:, :4].max() == 0
    shown = np.asarray(overlay(pixels, heat), int)
    assert np.ptp(shown[40, 280]) > 50  # coloured
    assert (shown[200] == 0).all()  # as it was


def test_where_no_place_matters_there_is_no_heat() -> None:
    pixels = np.full((64, 64, 1), 90, np.uint8)
    heat = heat_of(LooksAtOnePlace(5), pixels, "dark")
    assert not heat.any()
    assert (np.asarray(overlay(pixels, heat)) == 90).all()


@pytest.mark.parametrize(("odds", "corner"), [(-np.inf, 1.0), (np.nan, 0.0)])
def test_a_place_whose_cover_gives_no_finite_number_leaves_heat_that_can_be_shown(odds: float, corner: float) -> None:
    def log_odds(images: np.ndarray) -> np.ndarray:
        covered = images[:, 0, 0, 0] < 255
        return np.where(covered, odds, 3.0)[:, np.newaxis]

    pixels = np.zeros((1, 64, 64, 1), np.uint8)
    pixels[0, 0, 0] = 255
    [heat] = occlusion(log_odds, pixels, np.zeros(1, int))
    assert heat[0, 0] == corner
    assert heat[3:].max() == 0
