"""Logistic regression on features; its scaling, its strength and its calibration by cross-validation."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import log_softmax

from stages.lib.arrays.drawn import drawn
from stages.lib.arrays.rows import MEMORY_BUDGET, Array, Picked
from stages.lib.core.errors import UserError
from stages.lib.heads.calibration import factor
from stages.lib.heads.cross_validation import clearly_lower, divisions
from stages.lib.heads.linear import LinearHead
from stages.lib.heads.scaling import scaling_of
from stages.lib.heads.solver import components_of, solve
from stages.lib.heads.trial import STEPS, Trial, Views, tried

# What the squared coefficients are multiplied by, beside the sum of the losses; features have a mean square of 1.
STRENGTHS = np.array([10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001])
LEARNED = 20_000  # images that a head learns from, at the most: more hardly teach a linear model anything
CHOSEN_ON = 2_000  # images that strength and scaling are chosen on, at the most: more choose the same
_CHOSEN_OUTPUTS = 40_000  # classes times images of the choice
_LEAST_OF_CLASS = 10
_WITHOUT_CHOICE = 0.1  # strength where no image can be held out
COLUMNS = ("unit_length", "strength", "log_loss", "accuracy", "share")


@dataclass(frozen=True)
class Search:
    """A head, and how it was found.

    Attributes:
        head: of all training images, calibrated.
        strengths: a row per scaling and strength: unit_length, strength, log_loss (nats) and accuracy (share of images)
            out of fold, share: how much it counts in the head. No row where no image can be held out.
        images: int64 (chosen,), indices of the images that it was chosen on.
        losses: float64 (chosen,), cross-entropy in nats of each by heads that have not seen it; not a number where none
            could judge it.
        factor: what the logits were multiplied by to mean what they say.
    """

    head: LinearHead
    strengths: pd.DataFrame
    images: np.ndarray
    losses: np.ndarray
    factor: float


def fit(
    vectors: Array | Picked,
    labels: np.ndarray,
    groups: np.ndarray,
    classes: int,
    seed: int,
    mirrored: Array | Picked | None = None,
    *,
    averaged: bool = True,
    weights: np.ndarray | None = None,
) -> LinearHead:
    """Fit a linear head; `search` with its result alone.

    Example:
        >>> vectors, labels = np.eye(4, dtype=np.float32), np.array([0, 0, 1, 1])
        >>> fit(vectors, labels, np.arange(4), 2, seed=0).probabilities(vectors).argmax(axis=1).tolist()
        [0, 0, 1, 1]
    """
    return search(vectors, labels, groups, classes, seed, mirrored, averaged=averaged, weights=weights).head


def search(
    vectors: Array | Picked,
    labels: np.ndarray,
    groups: np.ndarray,
    classes: int,
    seed: int,
    mirrored: Array | Picked | None = None,
    *,
    averaged: bool = True,
    weights: np.ndarray | None = None,
) -> Search:
    """Fit a linear head on training images, and choose its scaling, strength and calibration by cross-validation.

    Features of unit length are taken unless standardised ones are better by more than one standard error. Strengths
    count by how good they are out of fold; the mean of their heads is again one linear head.

    Args:
        vectors: float32 (images, channels), in memory or in a file.
        labels: int64 (images,), 0 to classes - 1.
        groups: int64 (images,), equal for images that belong together.
        classes: their number, at least 2.
        seed: of the folds, and of what is drawn of many images.
        mirrored: features of the mirrored images, in the same order: learned from too.
        averaged: with `mirrored`, whether predictions are made from the mean of both; else from the image alone.
        weights: float64 (images,), what each image counts; None: all the same.

    Raises:
        UserError: a feature is no finite number.
    """
    weights = np.ones(len(labels)) if weights is None else weights
    row = vectors.shape[1] * 4 * (1 if mirrored is None else 2)
    known = drawn(labels, min(LEARNED, max(1, MEMORY_BUDGET // row)), _LEAST_OF_CLASS, seed)
    outputs = 1 if classes == 2 else classes
    few = drawn(labels[known], min(CHOSEN_ON, _CHOSEN_OUTPUTS // outputs), _LEAST_OF_CLASS, seed)
    images = known[few]

    def views(picked: np.ndarray) -> Views:
        own, counts = _finite(vectors[picked]), weights[picked] / weights[picked].mean()
        if mirrored is None:
            return Views(own, own, labels[picked], counts, classes)
        other = _finite(mirrored[picked])
        return Views(np.vstack([own, other]), (own + other) / 2 if averaged else own, labels[picked], counts, classes)

    found, divided = views(images), divisions(labels[images], groups[images], seed)
    if not len(divided):
        head = _fitted(views(known), True, (STRENGTHS == _WITHOUT_CHOICE).astype(np.float64), 1.0)
        return Search(head, pd.DataFrame(columns=list(COLUMNS)), images, np.full(len(images), np.nan), 1.0)
    trials = [_tried(found, divided, unit_length) for unit_length in (True, False)]
    plain, standardised = (_losses(trial, found.labels) for trial in trials)
    chosen = trials[int(clearly_lower(standardised, plain))]
    own = found.labels[chosen.images]
    scale = factor(chosen.logits, own, chosen.each, divided[0, chosen.images])
    head = _fitted(views(known), chosen.unit_length, chosen.shares, scale)
    return Search(head, _table(trials, chosen), images, _losses(chosen, found.labels, scale), scale)


def _finite(vectors: np.ndarray) -> np.ndarray:
    wrong = int((~np.isfinite(vectors)).any(axis=1).sum())
    if wrong:
        raise UserError(
            f"features: expected finite numbers, found others in {wrong:,} of {len(vectors):,} training images: set "
            "features.precision to float32, or use another backbone.preset"
        )
    return vectors


def _tried(views: Views, divided: np.ndarray, unit_length: bool) -> Trial:
    scaling = scaling_of(views.learned, unit_length)
    return tried(views, divided, STRENGTHS, scaling, components_of(scaling(views.learned)))


def _fitted(views: Views, unit_length: bool, shares: np.ndarray, scale: float) -> LinearHead:
    """The head of all images; its logits are multiplied by `scale`."""
    scaling = scaling_of(views.learned, unit_length)
    components = components_of(scaling(views.learned))
    counted = shares > 0
    weights = np.tile(views.weights.astype(np.float32), views.count)[:, np.newaxis].repeat(counted.sum(), axis=1)
    labels = np.tile(views.labels, views.count)
    strengths = STRENGTHS[counted] / len(views.labels)
    solutions = solve(components, labels, views.classes, weights, strengths, STEPS)
    mean = np.einsum("cso,s->co", solutions.astype(np.float64), shares[counted])
    return scaling.folded(scale * mean, components)


def _losses(trial: Trial, labels: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """float64 (images,): mean cross-entropy of each image; not a number where none judged it."""
    own = labels[trial.images]
    each = -log_softmax(scale * trial.logits, axis=1)[np.arange(len(own)), own]
    sums, times = (np.bincount(trial.images, one, len(labels)) for one in (each, np.ones(len(own))))
    return np.divide(sums, times, out=np.full(len(labels), np.nan), where=times > 0)


def _table(trials: list[Trial], chosen: Trial) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "unit_length": trial.unit_length,
                "strength": STRENGTHS,
                "log_loss": trial.log_loss,
                "accuracy": trial.accuracy,
                "share": trial.shares if trial is chosen else 0.0,
            }
        )
        for trial in trials
    ]
    return pd.concat(parts, ignore_index=True)
