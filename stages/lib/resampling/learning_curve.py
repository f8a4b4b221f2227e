"""What more images would bring: the figure at growing numbers of images, and a power law through it."""

from dataclasses import dataclass
from math import hypot

import numpy as np
from scipy.stats import norm

from stages.lib.evaluation.intervals import LEVEL, Interval
from stages.lib.resampling.figures import Procedure
from stages.lib.resampling.repeated import Resampled

_DRAWS = 2000
_FLOOR = 0.9  # of the lowest error that was found: as much of it may stay, however many images there are
# Standard deviation between the gains of heads trained on other images of the same kind, in standard errors of the
# figure: by coverage (`python -m benchmarks.resampling`).
_LUCK = 0.5
TIMES = 2  # as many images


@dataclass(frozen=True)
class Growth:
    """What `TIMES` as many images would bring.

    Attributes:
        gain: in shares of the figure, with the interval that holds the gain of new images at the level `LEVEL`.
        figure: what it would come to, likewise.
    """

    gain: Interval
    figure: Interval


def growth(found: Resampled, now: Procedure, seed: int) -> Growth | None:
    """Predict the figure for twice the images, by a power law through the errors at growing shares of the images.

    Errors fall as a power of the number of images down to a floor (Cortes et al. 1994, "Learning curves: asymptotic
    values and rate of convergence"; Viering & Loog 2022, "The shape of learning curves", where it is among the laws
    that extrapolate best). Nobody knows the floor from a few points: it is drawn anew for each of many curves, through
    the errors of images drawn with the weights of the Bayesian bootstrap (Rubin 1981), an image keeping its weight
    along the curve. Those of one group count once: of a large one, half and all teach about the same, and twice the
    images would bring another group rather than more of this one. To that comes the luck of which images will come.

    Args:
        found: of `resample`.
        now: of the same.
        seed: of what is drawn.

    Returns:
        None where heads were trained on a single number of images.
    """
    if len(found.trained) < 2:
        return None
    random = np.random.default_rng(seed)
    errors = _errors(found, now.balanced, random)
    floors = random.uniform(0, _FLOOR, len(errors))
    gains = _gains(errors, found.different, floors)
    last = now.figures[-1]
    error = (last.high - last.low) / (2 * norm.ppf((1 + LEVEL) / 2))
    gains = gains + _LUCK * error * random.normal(size=len(gains))
    low, high = np.quantile(gains, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    value = float(np.median(gains).clip(0, 1 - last.value))
    gain = Interval(value, float(min(low, value)), float(max(high, value)))
    # Newcombe's way to add two intervals (1998).
    below, above = hypot(last.value - last.low, value - gain.low), hypot(last.high - last.value, gain.high - value)
    then = last.value + value
    return Growth(gain, Interval(then, max(0.0, then - below), min(1.0, then + above)))


def _errors(found: Resampled, balanced: bool, random: np.random.Generator) -> np.ndarray:
    """Errors of each share of the images, of images drawn again and again: float64 (draws, shares), above 0."""
    wrong = 1 - found.right.mean(axis=0)
    _, groups = np.unique(found.groups, return_inverse=True)
    weights = random.exponential(size=(_DRAWS, groups.max() + 1)).astype(np.float32)
    strata = found.labels if balanced else np.zeros_like(found.labels)
    # An image more that is half wrong: to have seen no error does not mean that there is none.
    each = [
        (drawn @ wrong[:, own].T + 0.5) / (drawn.sum(axis=1, keepdims=True) + 1)
        for own in (strata == stratum for stratum in np.unique(strata))
        for drawn in (weights[:, groups[own]],)
    ]
    return np.mean(each, axis=0).astype(np.float64)


def _gains(errors: np.ndarray, images: np.ndarray, floors: np.ndarray) -> np.ndarray:
    """What each curve says that `TIMES` as many images bring: float64 (draws,), at least 0.

    Args:
        errors: float64 (draws, shares).
        images: float64 (shares,), that a head was trained on.
        floors: float64 (draws,), the part of the lowest error that stays.
    """
    floor = floors * errors.min(axis=1)
    places, heights = np.log(images), np.log(errors - floor[:, np.newaxis])
    # A figure at few images says little of how it goes on at many.
    weights = np.sqrt(images) / np.sqrt(images).sum()
    middle, mean = weights @ places, heights @ weights
    slopes = (heights - mean[:, np.newaxis]) @ (weights * (places - middle)) / (weights @ (places - middle) ** 2)
    slopes = np.minimum(slopes, 0)
    above = np.exp(mean + slopes * (places[-1] - middle))
    return above * (1 - TIMES**slopes)
