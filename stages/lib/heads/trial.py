"""Cross-validation of one scaling: every strength judged on images that its heads have not seen."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from stages.lib.heads.linear import of_classes
from stages.lib.heads.scaling import Scaling
from stages.lib.heads.solver import Components, solve

_LEAST_SHARE = 0.01
_ENOUGH, _ERRORS = 50, 3  # images of a fold, and standard errors, by which a strength may be out of the race
# To take at most, here and for the head of all images: where the strength is small, stopping early is a part of it.
STEPS = 120
_AT_ONCE = 16 << 20  # logits


@dataclass(frozen=True)
class Views:
    """Training images as a head sees them.

    Attributes:
        learned: float32 (views x images, channels), one view after the other, of the same images in one order.
        judged: float32 (images, channels), as a head gets them when it predicts.
        labels: int64 (images,).
        weights: float64 (images,), what each counts; the mean is 1.
        classes: their number.
    """

    learned: np.ndarray
    judged: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    classes: int

    @property
    def count(self) -> int:
        """Views of each image."""
        return len(self.learned) // len(self.labels)


@dataclass(frozen=True)
class Trial:
    """What cross-validation says of one scaling.

    Attributes:
        unit_length: the scaling.
        log_loss: float64 (strengths,), mean cross-entropy in nats out of fold; not a number where a strength was seen
            not to count before all folds were judged.
        accuracy: float64 (strengths,), share of images; likewise.
        shares: float64 (strengths,), how much each strength counts in the head: nearly all where one is clearly best,
            spread where images are too few to tell (Akaike weights: Burnham & Anderson 2002, section 2.9).
        images: int64 (judged,), which image was judged; one may be several times.
        logits: float64 (judged, classes), of the head of all strengths.
        each: float64 (judged,), what each judgement counts.
    """

    unit_length: bool
    log_loss: np.ndarray
    accuracy: np.ndarray
    shares: np.ndarray
    images: np.ndarray
    logits: np.ndarray
    each: np.ndarray

    def losses(self, labels: np.ndarray, scale: float = 1.0) -> np.ndarray:
        """Mean cross-entropy of each image: float64 (images,); not a number where none judged it.

        Args:
            labels: int64 (images,).
            scale: what the logits are multiplied by.
        """
        own = labels[self.images]
        each = -log_softmax(scale * self.logits, axis=1)[np.arange(len(own)), own]
        sums, times = (np.bincount(self.images, one, len(labels)) for one in (each, np.ones(len(own))))
        return np.divide(sums, times, out=np.full(len(labels), np.nan), where=times > 0)


def tried(
    views: Views,
    divided: np.ndarray,
    strengths: np.ndarray,
    scaling: Scaling,
    components: Components,
    rival: "Trial | None" = None,
) -> "Trial | None":
    """Judge a scaling at every strength that may count.

    A fold of enough images is enough to see that most strengths will not, so the others do without them (a race, as of
    Maron & Moore 1994, "Hoeffding races").

    Args:
        views: of the training images.
        divided: int64 (divisions, images), as `cross_validation.divisions` gives them; at least one.
        strengths: float64 (strengths,), beside the sum of the losses of all images; in order.
        scaling: of the features.
        components: of the scaled features of `views.learned`.
        rival: of another scaling.

    Returns:
        None where the first images show that this scaling is worse than its rival.
    """
    judged = scaling.turned(views.judged, components)
    folds = np.concatenate([one == np.arange(one.max() + 1)[:, np.newaxis] for one in divided])
    own = [np.flatnonzero(fold & np.isin(views.labels, views.labels[~fold])) for fold in folds]
    images = np.concatenate(own)
    outputs = 1 if views.classes == 2 else views.classes
    logits = np.full((len(images), len(strengths), outputs), np.nan, np.float32)

    def judge(some: np.ndarray, racing: np.ndarray) -> None:
        ends = np.cumsum([0, *map(len, own)])
        for part in _parts(views, some, len(racing)) if len(racing) else ():
            solutions = _solutions(views, folds[part], strengths[racing], components)
            for fold, solution in zip(part.tolist(), solutions, strict=True):
                flat = judged[own[fold]] @ solution[1:].reshape(len(solution) - 1, solution[0].size)
                logits[ends[fold] : ends[fold + 1], racing] = flat.reshape(-1, *solution.shape[1:]) + solution[0]

    every, first = np.arange(len(strengths)), own[0]
    if len(first) < _ENOUGH:
        judge(np.arange(len(folds)), every)
        return _summed(views, scaling.unit_length, images, of_classes(logits))
    labels, count = views.labels[first], len(np.unique(images))
    # Every second strength, those between ones that may count, and then these on all other folds.
    judge(np.zeros(1, np.int64), every[::2])
    between = every[1::2]
    ahead = _may_count(of_classes(logits[: len(first)]), labels, count)
    judge(np.zeros(1, np.int64), between[ahead[between - 1] | ahead[np.minimum(between + 1, len(ahead) - 1)]])
    losses = _losses(of_classes(logits[: len(first)]), labels)
    if rival is not None and _is_behind(
        losses[:, np.nanargmin(losses.mean(axis=0))], rival.losses(views.labels)[first]
    ):
        return None
    judge(np.arange(1, len(folds)), np.flatnonzero(_may_count(of_classes(logits[: len(first)]), labels, count)))
    return _summed(views, scaling.unit_length, images, of_classes(logits))


def _may_count(logits: np.ndarray, labels: np.ndarray, judged: int) -> np.ndarray:
    """Which strengths may yet count in the head, by the first images: bool (strengths,).

    Args:
        logits: float32 (images, strengths, classes), not a number where a strength has not been tried.
        labels: int64 (images,).
        judged: images that will be judged in the end.
    """
    losses = _losses(logits, labels)
    known = np.isfinite(losses).all(axis=0)
    best = np.flatnonzero(known)[losses[:, known].mean(axis=0).argmin()]
    behind = losses - losses[:, [best]]
    surely = behind.mean(axis=0) - _ERRORS * behind.std(axis=0, ddof=1) / np.sqrt(len(labels))
    return known & ~(judged * surely > -np.log(_LEAST_SHARE))


def _is_behind(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the mean of one is greater by more than some standard errors."""
    behind = one - other
    return bool(behind.mean() > _ERRORS * behind.std(ddof=1) / np.sqrt(len(behind)))


def _losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """float32 (images, strengths), in nats."""
    places = labels[:, np.newaxis, np.newaxis]
    return -np.take_along_axis(log_softmax(logits, axis=2), places, axis=2)[..., 0]


def _parts(views: Views, folds: np.ndarray, strengths: int) -> list[np.ndarray]:
    """Numbers of folds that are computed together, so that memory does not grow with their number."""
    outputs = 1 if views.classes == 2 else views.classes
    most = max(1, _AT_ONCE // (len(views.learned) * max(1, strengths) * outputs))
    return [folds[start : start + most] for start in range(0, len(folds), most)]


def _solutions(views: Views, folds: np.ndarray, strengths: np.ndarray, components: Components) -> np.ndarray:
    """float32 (folds, 1 + components, strengths, outputs)."""
    seen = np.where(folds, 0, views.weights).T
    weights = np.tile(np.repeat(seen, len(strengths), axis=1), (views.count, 1))
    penalties = (strengths / seen.sum(axis=0)[:, np.newaxis]).ravel()
    labels = np.tile(views.labels, views.count)
    found = solve(components, labels, views.classes, weights.astype(np.float32), penalties, STEPS)
    return np.moveaxis(found.reshape(len(found), len(folds), len(strengths), found.shape[-1]), 1, 0)


def _summed(views: Views, unit_length: bool, images: np.ndarray, logits: np.ndarray) -> Trial:
    labels, times = views.labels[images], np.bincount(images, minlength=len(views.labels))
    each = views.weights[images] / times[images]
    total = max(float(each.sum()), np.finfo(np.float64).tiny)
    kept = np.isfinite(logits).all(axis=(0, 2))
    log_loss, right = np.full(len(kept), np.nan), np.full(len(kept), np.nan)
    log_loss[kept] = each @ _losses(logits[:, kept], labels) / total
    right[kept] = (each / total) @ (logits[:, kept].argmax(axis=2) == labels[:, np.newaxis])
    shares = np.exp(-np.count_nonzero(times) * (log_loss - np.nanmin(log_loss, initial=np.inf)))
    shares = np.where(shares / np.nansum(shares) < _LEAST_SHARE, 0, np.nan_to_num(shares))
    shares /= shares.sum()
    mean = np.einsum("jsc,s->jc", logits[:, kept].astype(np.float64), shares[kept])
    return Trial(unit_length, log_loss, right, shares, images, mean, each)
