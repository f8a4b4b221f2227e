"""The decisions of one model, chosen on validation images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax

from smallset.inference.decisions import ALWAYS, Decisions
from stages.lib.core.decision_sections import DecisionsParams
from stages.lib.deciding import limits
from stages.lib.heads import calibration

_FOLDS = 5
# What probabilities below are taken for. Of two classes that of the first is 1 minus the other, in float32: it knows
# nothing between 0 and this. A network that is surer than that is taken for less sure than it is, never for surer.
_FAINTEST_OF_TWO, _FAINTEST = 1e-7, 1e-37


@dataclass(frozen=True)
class Validated:
    """A model on validation images.

    Attributes:
        classes: names.
        labels: int64 (images,).
        probabilities: float64 (images, classes).
        distances: float64 (images,); None: the model has no features.
        is_calibrated: whether its logits are so already, by images that it has not seen.
    """

    classes: Sequence[str]
    labels: np.ndarray
    probabilities: np.ndarray
    distances: np.ndarray | None
    is_calibrated: bool


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities whose logits are divided by a temperature: float64 (images, classes)."""
    if temperature == 1:
        return probabilities
    scaled: np.ndarray = softmax(_logits(probabilities) / temperature, axis=1)
    return scaled


def _logits(probabilities: np.ndarray) -> np.ndarray:
    least = _FAINTEST_OF_TWO if probabilities.shape[1] == 2 else _FAINTEST
    return np.log(np.maximum(probabilities, least))


def chosen(one: Validated, params: DecisionsParams, seed: int) -> Decisions:
    """Choose temperature, rule and limits.

    Args:
        one: the model on validation images.
        params: section `decisions` of params.yaml.
        seed: decides the parts by which a temperature is judged.

    Raises:
        UserError: the section names a class that there is not.
    """
    temperature = 1.0 if one.is_calibrated else temperature_of(one.probabilities, one.labels, seed)
    probabilities, reasons = tempered(one.probabilities, temperature), list[str]()
    decisions = replace(_rule(one, probabilities, params, reasons), temperature=temperature)
    if params.accuracy is not None:
        predicted = decisions.predicted(probabilities)
        confidence = probabilities[np.arange(len(predicted)), predicted]
        limit, reason = limits.unsure_below(confidence, predicted == one.labels, params.accuracy)
        # What was not shown is not said: without a limit no answer is sure.
        decisions = replace(decisions, unsure_below=ALWAYS if limit is None else limit)
        reasons += [f"every image is called unsure: {reason} (decisions.accuracy)"] if reason else []
    if params.keep is not None:
        limit, reason = None, "the model has no pooled features"
        if one.distances is not None:
            limit, reason = limits.unknown_above(one.distances, params.keep)
        decisions = replace(decisions, unknown_above=limit)
        said = "no image is called unknown: " if limit is None else ""
        reasons += [f"{said}{reason} (decisions.keep)"] if reason else []
    return replace(decisions, reasons=tuple(reasons))


def temperature_of(probabilities: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """The temperature by which logits of images that the model has not seen mean what they say; 1 where it is no gain.

    Args:
        probabilities: float64 (images, classes), without a temperature.
        labels: int64 (images,).
        seed: decides the parts by which it is judged.
    """
    count = len(labels)
    if count < 2 * _FOLDS:
        return 1.0
    places = np.random.default_rng(seed).permutation(count)
    # Classes are spread over the parts evenly.
    folds = np.empty(count, np.int64)
    folds[places[np.argsort(labels[places], kind="stable")]] = np.arange(count) % _FOLDS
    return 1 / calibration.factor(_logits(probabilities), labels, np.ones(count), folds, np.arange(count))


def _rule(one: Validated, probabilities: np.ndarray, params: DecisionsParams, reasons: list[str]) -> Decisions:
    """How the class follows from probabilities, without limits; `reasons` takes why a threshold is not set."""
    if params.criterion == "cost":
        return Decisions("cost", costs=limits.costs_of(params.costs, one.classes))
    if params.criterion == "accuracy" or params.of_class is None:
        return Decisions("accuracy")
    place = limits.index_of(params.of_class, one.classes, "decisions.of_class")
    own, mine = one.labels == place, probabilities[:, place]
    if params.criterion == "f1":
        threshold, reason = limits.threshold_for_f1(mine, own)
    else:
        threshold, reason = limits.threshold_for_recall(mine, own, params.recall)
    if threshold is None:
        reasons.append(f"the likeliest class is predicted: {reason} (decisions.criterion: {params.criterion})")
        return Decisions(params.criterion)
    return Decisions(params.criterion, of_class=place, threshold=threshold)
