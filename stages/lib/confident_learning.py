"""Which images are likely mislabelled: confident learning on probabilities of models that have not seen them."""

import warnings

import numpy as np
from cleanlab.rank import get_normalized_margin_for_each_label
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from stages.lib.arrays.drawn import drawn
from stages.lib.arrays.parts import grouped_parts
from stages.lib.arrays.rows import Picked

# Inverse strengths of regularisation to choose from. One for all would not do: the weakest fits wrong labels among
# thousands of features, the strongest learns too little from a few.
STRENGTHS = (1.0, 0.1, 0.01, 0.001)
# Images that a judge learns from, at the most: more hardly teach a linear model anything.
LEARNED = 20_000
_LEAST = 10  # of them of each class
_JUDGED = 8192  # images judged at once
_FAINTEST = 1e-12  # probability; a float32 may be 0
_STRENGTHENED = (0.001, 20.0)  # inverse temperatures to choose from
_WRONG = 0.1
_STEPS = 200  # of the solver; more only sharpen the weakest regularisation, which then fits the labels too closely


def out_of_sample(
    vectors: np.ndarray | Picked, labels: np.ndarray, groups: np.ndarray, folds: int, seed: int
) -> np.ndarray:
    """Probabilities of the classes of each image, by a logistic regression trained without it and without its copies.

    Of the strengths of regularisation the one with the lowest log loss on the held-out images counts. Of more than
    `LEARNED` images that many are drawn to learn from; all are judged.

    Args:
        vectors: float32 (images, channels).
        labels: int64 (images,), 0 to classes - 1.
        groups: int64 (images,), equal for copies; each class with at least `folds` of them.
        folds: parts that the images are divided into; each is judged by a model trained on the others.
        seed: of the parts, and of what is drawn to learn from.

    Returns:
        float64 (images, classes); not a number where the models did not know the class of the image: groups of several
        classes may leave all others of it in the same part, and no way to spread them.
    """
    parts = grouped_parts(labels, groups, folds, seed)
    classes = np.arange(labels.max() + 1)
    judged = np.zeros((len(STRENGTHS), len(labels), len(classes)), np.float32)
    of_known = np.zeros(len(labels), bool)
    for part in range(folds):
        others, own = np.flatnonzero(parts != part), np.flatnonzero(parts == part)
        taught = np.unique(labels[others])
        if len(taught) < 2:
            continue
        of_known[own] = np.isin(labels[own], taught)
        learned = others[drawn(labels[others], LEARNED, _LEAST, seed)]
        scaler = StandardScaler()
        known = scaler.fit_transform(vectors[learned])
        models = [_fitted(known, labels[learned], strength) for strength in STRENGTHS]
        for start in range(0, len(own), _JUDGED):
            asked = own[start : start + _JUDGED]
            unknown = scaler.transform(vectors[asked])
            for probabilities, model in zip(judged, models, strict=True):
                probabilities[asked[:, np.newaxis], model.classes_] = model.predict_proba(unknown)
    judged[:, ~of_known] = np.nan
    if not of_known.any():
        return judged[0].astype(np.float64)
    truth = labels[of_known]
    best = min(judged, key=lambda probabilities: log_loss(truth, probabilities[of_known], labels=classes))
    return best.astype(np.float64)


def _fitted(vectors: np.ndarray, labels: np.ndarray, strength: float) -> LogisticRegression:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=strength, max_iter=_STEPS).fit(vectors, labels)


def calibrated(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Probabilities as sure as they are right: one temperature for all (Guo et al. 2017), by the lowest log loss.

    Models that are surer than right are toned down, those that know nothing to chance, and those that learnt from few
    images, which are too shy, become surer. A tenth of the labels is allowed to be wrong: else those, which are
    looked for, would count as mistakes of the model.

    Args:
        labels: int64 (images,).
        probabilities: float64 (images, classes), out of sample.

    Returns:
        float64 (images, classes).
    """
    scores = np.log(probabilities.clip(_FAINTEST))
    some = slice(None, None, 1 + len(labels) // LEARNED)
    known, few = labels[some], scores[some]

    def loss(strength: float) -> float:
        right = softmax(np.exp(strength) * few, axis=1)[np.arange(len(known)), known]
        return float(-np.log((1 - _WRONG) * right + _WRONG * (1 - right) / (few.shape[1] - 1)).mean())

    best = minimize_scalar(loss, bounds=np.log(_STRENGTHENED), method="bounded")
    return softmax(np.exp(best.x) * scores, axis=1)


def suspicious(labels: np.ndarray, probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """Images that confidently belong to another class than their label says.

    By the normalized margin of confident learning (Northcutt, Jiang & Chuang 2021, "Confident Learning: Estimating
    Uncertainty in Dataset Labels", JAIR 70): half of 1 + the probability of the labelled class - that of the likeliest
    other one. Of two classes that is the probability of the labelled class; of many, none is named unless another class
    is likelier than all the rest together.

    Args:
        labels: int64 (images,).
        probabilities: float64 (images, classes), `calibrated`.
        threshold: margin up to which an image is named, below 0.5.

    Returns:
        int64 (named,): indices, the lowest margin first.
    """
    margins = get_normalized_margin_for_each_label(labels, probabilities)
    named = np.flatnonzero(margins <= threshold)
    return named[np.argsort(margins[named], kind="stable")]


def large_enough(labels: np.ndarray, groups: np.ndarray, folds: int) -> np.ndarray:
    """Whether the class of each image has enough different images for one in every fold.

    Args:
        labels: int64 (images,).
        groups: int64 (images,), equal for copies.
        folds: parts that the images are to be divided into.

    Returns:
        bool (images,).
    """
    sizes = {label: len(np.unique(groups[labels == label])) for label in np.unique(labels).tolist()}
    return np.array([sizes[label] >= folds for label in labels.tolist()], bool)
