"""Cross-validation of one scaling: every strength judged on images that its heads have not seen."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from stages.lib.heads.linear import of_classes
from stages.lib.heads.scaling import Scaling
from stages.lib.heads.solver import Components, solve

_LEAST_SHARE = 0.01
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
        log_loss: float64 (strengths,), mean cross-entropy in nats out of fold.
        accuracy: float64 (strengths,), share of images.
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


def tried(views: Views, divided: np.ndarray, strengths: np.ndarray, scaling: Scaling, components: Components) -> Trial:
    """Judge a scaling at every strength.

    Args:
        views: of the training images.
        divided: int64 (divisions, images), as `cross_validation.divisions` gives them; at least one.
        strengths: float64 (strengths,), beside the sum of the losses of all images.
        scaling: of the features.
        components: of the scaled features of `views.learned`.
    """
    judged = scaling.turned(views.judged, components)
    folds = np.concatenate([one == np.arange(one.max() + 1)[:, np.newaxis] for one in divided])
    images, logits = [], []
    for part in _parts(views, folds, len(strengths)):
        solutions = _solutions(views, part, strengths, components)
        for fold, solution in zip(part, solutions, strict=True):
            own = np.flatnonzero(fold & np.isin(views.labels, views.labels[~fold]))
            flat = judged[own] @ solution[1:].reshape(len(solution) - 1, solution[0].size)
            images.append(own)
            logits.append(flat.reshape(len(own), *solution.shape[1:]) + solution[0])
    return _summed(views, scaling.unit_length, np.concatenate(images), of_classes(np.concatenate(logits)))


def _parts(views: Views, folds: np.ndarray, strengths: int) -> list[np.ndarray]:
    """Folds that are computed together, so that memory does not grow with their number."""
    outputs = 1 if views.classes == 2 else views.classes
    most = max(1, _AT_ONCE // (len(views.learned) * strengths * outputs))
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
    scores = -np.take_along_axis(log_softmax(logits, axis=2), labels[:, np.newaxis, np.newaxis], axis=2)[..., 0]
    right = logits.argmax(axis=2) == labels[:, np.newaxis]
    log_loss = each @ scores / total
    shares = np.exp(-np.count_nonzero(times) * (log_loss - log_loss.min(initial=np.inf)))
    shares = np.where(shares / shares.sum() < _LEAST_SHARE, 0, shares)
    shares /= shares.sum()
    mean = np.einsum("jsc,s->jc", logits.astype(np.float64), shares)
    return Trial(unit_length, log_loss, (each / total) @ right, shares, images, mean, each)
