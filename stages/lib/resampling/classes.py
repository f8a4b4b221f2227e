"""Which class needs images most: the one that is found least often, where that is shown."""

from dataclasses import dataclass

from stages.lib.evaluation import metrics
from stages.lib.evaluation.intervals import Interval, wilson
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

    By `metrics.weakest`, with as many images of each class as they are worth (`different`).

    Args:
        found: of `resample`; at least two classes.
    """
    shares, counts = recalls(found)
    label, others, stands_out = metrics.weakest(shares, counts)
    recall = wilson(shares[label] * counts[label], counts[label])
    return Weakest(label, recall, int((found.labels == label).sum()), others, stands_out)
