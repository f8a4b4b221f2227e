"""Logistic regression on features; its scaling, its strength and its calibration by cross-validation."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from stages.lib.arrays.drawn import drawn
from stages.lib.arrays.rows import Array, Picked
from stages.lib.heads.calibration import factor
from stages.lib.heads.cross_validation import clearly_lower, divisions
from stages.lib.heads.linear import LinearHead
from stages.lib.heads.scaling import scaling_of
from stages.lib.heads.solver import components_of, solve
from stages.lib.heads.training_images import Training
from stages.lib.heads.trial import STEPS, Trial, Views, tried

# What the squared coefficients are multiplied by, beside the sum of the losses; features have a mean square of 1.
STRENGTHS = np.array([10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001])
CHOSEN_ON = 2_000  # images that strength and scaling are chosen on, at the most: more choose the same
_CHOSEN_OUTPUTS = 40_000  # classes times images of the choice
_LEAST_CHOSEN_ON = 5  # images of a class
_WITHOUT_CHOICE = 0.1  # strength where no image can be held out
# Threads wait for each other longer than such products take, the more the busier the machine: four to ten times as much
# processor time on two cores. And the same bytes, whatever the number of cores.
_ON_ONE_THREAD = threadpool_limits.wrap(limits=1, user_api="blas")
COLUMNS = ("unit_length", "strength", "log_loss", "accuracy", "share")


@dataclass(frozen=True)
class Choice:
    """What of a head is chosen by cross-validation.

    Attributes:
        unit_length: the scaling.
        shares: float64 (strengths,), how much each of `STRENGTHS` counts in the head.
        factor: what the logits are multiplied by to mean what they say.
    """

    unit_length: bool
    shares: np.ndarray
    factor: float


@dataclass(frozen=True)
class Search:
    """A choice, and how it was found.

    Attributes:
        choice: scaling, strengths and calibration.
        strengths: a row per scaling and strength: unit_length, strength, log_loss (nats) and accuracy (share of images)
            out of fold, share: how much it counts in the head. Without figures where it was seen early that it would
            not count. No row where no image can be held out.
        images: int64 (chosen,), indices of the images that it was chosen on.
        losses: float64 (chosen,), cross-entropy in nats of each by heads that have not seen it; not a number where none
            could judge it.
    """

    choice: Choice
    strengths: pd.DataFrame
    images: np.ndarray
    losses: np.ndarray


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
    """Choose how to fit a linear head, and fit it; the arguments are those of `Training`, and a seed of what is drawn.

    Example:
        >>> vectors, labels = np.eye(4, dtype=np.float32), np.array([0, 0, 1, 1])
        >>> fit(vectors, labels, np.arange(4), 2, seed=0).probabilities(vectors).argmax(axis=1).tolist()
        [0, 0, 1, 1]
    """
    training = Training(vectors, labels, groups, classes, mirrored, averaged, weights)
    return fitted(training, search(training, seed).choice, seed)


@_ON_ONE_THREAD
def fitted(training: Training, choice: Choice, seed: int) -> LinearHead:
    """Fit a linear head as it was chosen. Of more than `Training.most` images that many are drawn.

    Args:
        training: what the head may learn from.
        choice: as `search` found it.
        seed: of what is drawn of many images.

    Raises:
        UserError: a feature is no finite number.
    """
    views = training.views(training.drawn(seed))
    scaling = scaling_of(views.learned, choice.unit_length)
    components = components_of(scaling(views.learned))
    counted = choice.shares > 0
    weights = np.tile(views.weights.astype(np.float32), views.count)[:, np.newaxis].repeat(counted.sum(), axis=1)
    strengths = STRENGTHS[counted] / len(views.labels)
    solutions = solve(components, np.tile(views.labels, views.count), views.classes, weights, strengths, STEPS)
    mean = np.einsum("cso,s->co", solutions.astype(np.float64), choice.shares[counted])
    return scaling.folded(choice.factor * mean, components)


@_ON_ONE_THREAD
def search(training: Training, seed: int) -> Search:
    """Choose scaling, strength and calibration of a linear head by cross-validation.

    Features of unit length are taken unless standardised ones are better by more than one standard error. Strengths
    count by how good they are out of fold; the mean of their heads is again one linear head.

    Args:
        training: what the head may learn from. Of more than `CHOSEN_ON` images that many are drawn.
        seed: of the folds, and of what is drawn of many images.

    Raises:
        UserError: a feature is no finite number.
    """
    known = training.drawn(seed)
    outputs = 1 if training.classes == 2 else training.classes
    most = min(CHOSEN_ON, _CHOSEN_OUTPUTS // outputs)
    images = known[drawn(training.labels[known], most, _LEAST_CHOSEN_ON, seed)]
    divided = divisions(training.labels[images], training.groups[images], seed)
    if not len(divided):
        choice = Choice(True, (STRENGTHS == _WITHOUT_CHOICE).astype(np.float64), 1.0)
        return Search(choice, pd.DataFrame(columns=list(COLUMNS)), images, np.full(len(images), np.nan))
    views = training.views(images)
    plain = _tried(views, divided, True)
    assert plain is not None
    other = _tried(views, divided, False, plain)
    trials = [plain] if other is None else [plain, other]
    last, first = (views.weights * trial.losses(views.labels) for trial in (trials[-1], plain))
    chosen = trials[-1] if clearly_lower(last, first) else plain
    own = views.labels[chosen.images]
    scale = factor(chosen.logits, own, chosen.each, divided[0, chosen.images], chosen.images)
    choice = Choice(chosen.unit_length, chosen.shares, scale)
    return Search(choice, _table(trials, chosen), images, chosen.losses(views.labels, scale))


def _tried(views: Views, divided: np.ndarray, unit_length: bool, rival: Trial | None = None) -> Trial | None:
    scaling = scaling_of(views.learned, unit_length)
    return tried(views, divided, STRENGTHS, scaling, components_of(scaling(views.learned)), rival)


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
