"""What a model would do that answers only when it is sure enough: the share of images it answers, and how often right.

On the test images. Which threshold to take is for the reader to say, so the page has the figures of all of them.
"""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stages.lib.comparison.evaluations import Evaluation
from stages.lib.evaluation.metrics import accuracy
from stages.lib.page.style import TEXT, figure, mark_of, svg

_STEPS = 100  # thresholds from 0 to 99 %
_MOST = 0.8  # of the images, answered at the threshold that is shown first
_LISTED = (0, 50, 60, 70, 80, 90, 95, 99)


@dataclass(frozen=True)
class Accepted:
    """The images of which a model is at least so sure.

    Attributes:
        threshold: percent.
        images: accepted.
        right: share of these, with its 95 % interval; None where there are none.
    """

    threshold: int
    images: int
    right: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Thresholds:
    """All thresholds of one model.

    Attributes:
        rows: one per percent, from 0.
        of: test images.
        chart: share accepted and share right, by threshold.
    """

    rows: list[Accepted]
    of: int
    chart: str

    @property
    def listed(self) -> list[Accepted]:
        """Those that a table shows."""
        return [self.rows[place] for place in _LISTED]

    @property
    def start(self) -> int:
        """A threshold to begin with: the highest multiple of five at which most images are still answered."""
        return max(row.threshold for row in self.rows[::5] if row.images >= _MOST * self.of)

    @property
    def data(self) -> str:
        """json: per threshold images, and share right, low and high in tenths of a percent; null where none is left."""
        return json.dumps([[row.images, *map(_tenths, (row.right, row.low, row.high))] for row in self.rows])


def thresholds(one: Evaluation, answers: pd.DataFrame | None = None) -> Thresholds:
    """Count what is accepted, and right, at each threshold.

    Args:
        one: a model on the test images.
        answers: what its bundle says of them, by its own rule and with its temperature: label, predicted, probability;
            None: the likeliest class, as the model was measured.
    """
    confidence, right = one.confidence, one.right
    if answers is not None:
        confidence, right = (
            answers["probability"].to_numpy(float),
            (answers["predicted"] == answers["label"]).to_numpy(),
        )
    rows = [_accepted(place, right[confidence >= place / 100]) for place in range(_STEPS)]
    return Thresholds(rows, len(right), _chart(one, rows))


def _accepted(threshold: int, right: np.ndarray) -> Accepted:
    if not len(right):
        return Accepted(threshold, 0, None, None, None)
    share = accuracy(right)
    return Accepted(threshold, len(right), share.value, share.low, share.high)


def _tenths(share: float | None) -> int | None:
    return None if share is None else round(1000 * share)


def _chart(one: Evaluation, rows: list[Accepted]) -> str:
    answered = [row for row in rows if row.right is not None]
    at, color = [row.threshold for row in answered], mark_of(one.name).color
    right, low, high = ([100 * getattr(row, key) for row in answered] for key in ("right", "low", "high"))
    with figure(4.6, 2.8) as drawn:
        axes = drawn.subplots()
        axes.fill_between(at, low, high, color=color, alpha=0.25, linewidth=0)
        axes.plot(at, right, "-", color=color, label="right, of those answered")
        share = [100 * row.images / rows[0].images for row in rows]
        axes.plot(range(_STEPS), share, "--", color=TEXT, linewidth=1.2, label="answered, of all")
        axes.set_xlabel("answers only when at least so sure, %")
        axes.set_ylabel("test images, %")
        axes.set_ylim(-3, 103)
        axes.grid()
        drawn.legend(loc="outside upper left", ncols=2)
        label = f"Share of test images answered, and right of those, by the confidence asked of {one.title}"
        return svg(drawn, f"threshold-{one.name}", label)
