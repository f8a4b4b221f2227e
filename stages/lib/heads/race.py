"""Which strengths may yet count, seen on the first images that are judged (Maron & Moore 1994, "Hoeffding races")."""

from collections.abc import Callable

import numpy as np
from scipy.special import log_softmax

LEAST_SHARE = 0.01  # of a strength that counts in a head
ENOUGH = 50  # images that a race takes
_ERRORS = 3  # standard errors by which a strength is out of it


def run(
    judge: Callable[[np.ndarray], np.ndarray], start: np.ndarray, labels: np.ndarray, weights: np.ndarray, judged: int
) -> tuple[np.ndarray, np.ndarray]:
    """Judge some strengths, and what lies beside one that may count, until no such is left.

    Args:
        judge: judges more strengths, by their numbers, and gives the logits of all: float32 (images, strengths,
            classes), not a number where a strength has not been judged.
        start: int64 (strengths,), numbers of the first.
        labels: int64 (images,).
        weights: float64 (images,), what each counts.
        judged: images that will be judged in the end.

    Returns:
        int64 (strengths,), numbers of those that may count; float32 (images, strengths), losses in nats, weighed.
    """
    racing, done, each = start, np.empty(0, np.int64), weights.astype(np.float32)[:, np.newaxis]
    while len(racing):
        found = each * losses(judge(racing), labels)
        ahead, done = _may_count(found, judged), np.union1d(done, racing)
        racing = np.setdiff1d(beside(ahead), done)
    return np.flatnonzero(ahead), found


def beside(strengths: np.ndarray) -> np.ndarray:
    """Numbers of some strengths, bool (strengths,), and of those beside them."""
    wide = np.pad(strengths, 1)
    return np.flatnonzero(wide[:-2] | wide[1:-1] | wide[2:])


def is_behind(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the mean of one is greater by more than some standard errors."""
    behind = one - other
    return bool(behind.mean() > _ERRORS * behind.std(ddof=1) / np.sqrt(len(behind)))


def losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cross-entropy in nats: float32 (images, strengths) of logits (images, strengths, classes)."""
    places = labels[:, np.newaxis, np.newaxis]
    return -np.take_along_axis(log_softmax(logits, axis=2), places, axis=2)[..., 0]


def _may_count(found: np.ndarray, judged: int) -> np.ndarray:
    """Which strengths may yet count in the head: bool (strengths,)."""
    known = np.isfinite(found).all(axis=0)
    best = np.flatnonzero(known)[found[:, known].mean(axis=0).argmin()]
    behind = found - found[:, [best]]
    surely = behind.mean(axis=0) - _ERRORS * behind.std(axis=0, ddof=1) / np.sqrt(len(found))
    return known & ~(judged * surely > -np.log(LEAST_SHARE))
