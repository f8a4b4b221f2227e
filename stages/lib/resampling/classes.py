"""Which class needs images most: the one that is found least often, where that is shown."""

from dataclasses import dataclass

import numpy as np

from stages.lib.evaluation.intervals import Interval, wilson
from stages.lib.evaluation.metrics import differs_from_others
from stages.lib.resampling.figures import recalls
from stages.lib.resampling.repeated import Resampled


@dataclass(frozen=True)
class Weakest:
    """The class with the lowest recall, among those that stand out where any does.

    Attributes:
        label: its number.
        recall: with its interval.
        images: of it.
        others: mean recall of the other classes.
        stands_out: whether its recall is shown to be lower than that of the others.
    """

    label: int
    recall: Interval
    images: int
    others: float
    stands_out: bool


def weakest(found: Resampled) -> Weakest:
    """Find the class with the lowest recall that is more than chance, or else the one with the lowest.

    Tested by `metrics.differs_from_others`, with as many images of each class as they are worth (`different`).

    Args:
        found: of `resample`; at least two classes.
    """
    shares, counts = recalls(found)
    right, images = np.round(shares * counts).astype(int), np.round(counts).astype(int)

    def others(label: int) -> float:
        rest = np.arange(len(shares)) != label
        return float(np.average(shares[rest], weights=counts[rest]))

    def stands_out(label: int) -> bool:
        return bool(shares[label] < others(label)) and differs_from_others(label, right, images)

    order = np.argsort(shares, kind="stable").tolist()
    # One of few images may have the lowest recall by chance, beside one of many that has a low one for certain.
    label = next(filter(stands_out, order), order[0])
    return Weakest(
        label,
        wilson(shares[label] * counts[label], counts[label]),
        int((found.labels == label).sum()),
        others(label),
        stands_out(label),
    )
