"""Which class needs images most: the one that is found least often, where that is shown."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import fisher_exact

from stages.lib.evaluation.intervals import LEVEL, Interval, wilson
from stages.lib.resampling.figures import recalls
from stages.lib.resampling.repeated import Resampled


@dataclass(frozen=True)
class Weakest:
    """The class with the lowest recall.

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
    """Find the class with the lowest recall, and whether that is more than chance.

    Fisher's exact test of its images beside all others, with p multiplied by the number of classes: of many equal
    classes one has the lowest recall in any case.

    Args:
        found: of `resample`; at least two classes.
    """
    shares, counts = recalls(found)
    label = int(shares.argmin())
    right, images = np.round(shares * counts).astype(int), np.round(counts).astype(int)
    rest = np.arange(len(shares)) != label
    table = [
        [right[label], images[label] - right[label]],
        [right[rest].sum(), (images - right)[rest].sum()],
    ]
    p_value = float(fisher_exact(table).pvalue) * len(shares)
    others = float(np.average(shares[rest], weights=counts[rest]))
    return Weakest(
        label,
        wilson(shares[label] * counts[label], counts[label]),
        int((found.labels == label).sum()),
        others,
        p_value < 1 - LEVEL and shares[label] < others,
    )
