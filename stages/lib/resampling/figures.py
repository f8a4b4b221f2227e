"""How good the procedure is: its figure over all images, with an interval, and how much it depends on the split."""

from dataclasses import dataclass

import numpy as np

from stages.lib.evaluation.intervals import Interval, different, mean_share, wilson
from stages.lib.evaluation.metrics import is_imbalanced
from stages.lib.resampling.repeated import Resampled


@dataclass(frozen=True)
class Procedure:
    """What repeated cross-validation says of a procedure.

    Attributes:
        balanced: whether it is balanced accuracy, every class counting the same, rather than accuracy.
        figures: of each share of the images trained on, the last of the whole training parts.
        spread: standard deviation of the figure between single parts, each judged alone.
        part: images of such a part, on average.
    """

    balanced: bool
    figures: list[Interval]
    spread: float
    part: float


def procedure(found: Resampled) -> Procedure:
    """Accuracy, or balanced accuracy where classes are imbalanced, on images that no head has seen.

    Every image counts once, with the share of the repeats in which it is classified right. The interval is Wilson's
    score interval (1927) for so many different images; repeating brings the estimate nearer to the mean over all ways
    to divide the images, which makes up for the heads sharing most of what they are trained on. Of balanced accuracy
    it is `mean_share`. Coverage: `python -m benchmarks.resampling`.

    Args:
        found: of `resample`.
    """
    balanced = is_imbalanced(found.labels)
    shares = found.right.mean(axis=0)
    figures = [_figure(right, found, balanced) for right in shares]
    parts = [
        _value(found.right[repeat, -1, own], found.labels[own], balanced)
        for repeat, held_out in enumerate(found.parts)
        for own in (held_out == part for part in range(int(held_out.max()) + 1))
    ]
    return Procedure(balanced, figures, float(np.std(parts, ddof=1)), found.parts.shape[1] / (found.parts.max() + 1))


def recalls(found: Resampled) -> tuple[np.ndarray, np.ndarray]:
    """Share of each class that is classified right, and of how many different images: twice float64 (classes,)."""
    right = found.right[:, -1].mean(axis=0)
    classes = range(int(found.labels.max()) + 1)
    shares = [right[found.labels == one].mean() for one in classes]
    return np.array(shares), np.array([different(found.groups[found.labels == one]) for one in classes])


def _figure(right: np.ndarray, found: Resampled, balanced: bool) -> Interval:
    if not balanced:
        count = different(found.groups)
        return wilson(float(right.mean()) * count, count)
    classes = range(int(found.labels.max()) + 1)
    counts = np.array([different(found.groups[found.labels == one]) for one in classes])
    shares = np.array([right[found.labels == one].mean() for one in classes])
    return mean_share(shares * counts, counts)


def _value(right: np.ndarray, labels: np.ndarray, balanced: bool) -> float:
    if not balanced:
        return float(right.mean())
    return float(np.mean([right[labels == one].mean() for one in np.unique(labels)]))
