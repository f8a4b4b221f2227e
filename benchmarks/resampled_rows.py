"""What the folders of `benchmarks.resampling` come to: how often intervals held what was true, a row a case."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from stages.lib.evaluation.intervals import Interval

FOLDS = 5
TRAIN, VALIDATION = 0.4, 0.6  # shares: of training images, of these and validation images together


@dataclass(frozen=True)
class Draw:
    """One folder. accuracy: true ones of heads on shares of it, by share; 2 is with its growth."""

    now: Interval
    gain: Interval | None
    figure: Interval | None
    named: bool
    accuracy: dict[float, float]


@dataclass(frozen=True)
class Row:
    """One case. error: Monte-Carlo standard error of the shares. Gains are means with their standard errors, points."""

    images: int
    draws: int
    true: float
    estimate: float
    coverage: float
    own: float
    width: float
    gain: float
    figure: float
    error: float
    predicted: float
    brought: float
    named: float
    refit_validation: tuple[float, float]
    refit_all: tuple[float, float]


def row_of(images: int, draws: list[Draw]) -> Row:
    """What the draws of one case come to."""
    true = float(np.mean([one.accuracy[1 - 1 / FOLDS] for one in draws]))
    predicted = [one for one in draws if one.gain is not None]
    gains = [one.accuracy[2] - one.accuracy[1] for one in predicted]
    held = [(one.gain, gain) for one, gain in zip(predicted, gains, strict=True)]
    return Row(
        images,
        len(draws),
        true,
        float(np.mean([one.now.value for one in draws])),
        _holding((one.now, true) for one in draws),
        _holding((one.now, one.accuracy[1]) for one in draws),
        float(np.mean([one.now.high - one.now.low for one in draws])),
        _holding(held),
        _holding((one.figure, one.accuracy[2]) for one in predicted),
        sqrt(0.95 * 0.05 / len(draws)),
        float(np.mean([one.gain.value for one in predicted if one.gain])),
        float(np.mean(gains)),
        float(np.mean([one.named for one in draws])),
        _points([one.accuracy[VALIDATION] - one.accuracy[TRAIN] for one in draws]),
        _points([one.accuracy[1] - one.accuracy[TRAIN] for one in draws]),
    )


def _holding(pairs: Iterable[tuple[Interval | None, float]]) -> float:
    return float(np.mean([found is not None and found.low <= true <= found.high for found, true in pairs]))


def _points(differences: list[float]) -> tuple[float, float]:
    found = 100 * np.array(differences)
    return float(found.mean()), float(found.std(ddof=1) / sqrt(len(found)))
