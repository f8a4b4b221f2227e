"""Cross-validation of one scaling: every strength judged on images that its heads have not seen."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from stages.lib.heads import race
from stages.lib.heads.linear import of_classes
from stages.lib.heads.scaling import Scaling
from stages.lib.heads.solver import Components, solve

# To take at most, here and for the head of all images: where the strength is small, stopping early is a part of it.
STEPS = 120
_AT_ONCE = 16 << 20  # logits
_WIDE = 64  # coefficients of a component from which a product is not faster for being wider: then folds go one by one


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

    A fold of enough images is enough to see that most strengths will not, so the others do without them (`race`).

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
    if len(first) < race.ENOUGH:
        judge(np.arange(len(folds)), every)
        return _summed(views, scaling.unit_length, images, of_classes(logits))

    def on_first(racing: np.ndarray) -> np.ndarray:
        judge(np.zeros(1, np.int64), racing)
        return of_classes(logits[: len(first)])

    # Every second strength, or those about the ones that count for the rival.
    start = every[::2] if rival is None else race.beside(np.isfinite(rival.log_loss))
    weights = views.weights[first]
    ahead, losses = race.run(on_first, start, views.labels[first], weights, len(np.unique(images)))
    best = losses[:, np.nanargmin(losses.mean(axis=0))]
    if rival is not None and race.is_behind(best, weights * rival.losses(views.labels)[first]):
        return None
    others = np.arange(1, len(folds))
    for some in others[:, np.newaxis] if len(ahead) * outputs > _WIDE else [others]:
        judge(some, ahead)
    return _summed(views, scaling.unit_length, images, of_classes(logits))


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
    log_loss[kept] = each @ race.losses(logits[:, kept], labels) / total
    right[kept] = (each / total) @ (logits[:, kept].argmax(axis=2) == labels[:, np.newaxis])
    shares = np.exp(-np.count_nonzero(times) * (log_loss - np.nanmin(log_loss, initial=np.inf)))
    shares = np.where(shares / np.nansum(shares) < race.LEAST_SHARE, 0, np.nan_to_num(shares))
    shares /= shares.sum()
    mean = np.einsum("jsc,s->jc", logits[:, kept].astype(np.float64), shares[kept])
    return Trial(unit_length, log_loss, right, shares, images, mean, each)
