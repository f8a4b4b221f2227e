"""How well the scores of a model rank: areas under the ROC and the precision-recall curve, with intervals."""

from collections.abc import Callable

import numpy as np

from stages.lib.evaluation.intervals import Interval, scaled_score

_Figure = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]
_NAN = float("nan")
_ROUNDING = 1e-20


def roc_auc(labels: np.ndarray, probabilities: np.ndarray) -> Interval:
    """Area under the ROC curve; of more than two classes the mean over those tested, each against the rest.

    The variance is that of DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, by ranks; its shape elsewhere that
    of Hanley & McNeil as Newcombe (2006, part 2, method 5, Statistics in Medicine 25) has it, so a perfect ranking of
    few images has an interval too.

    Args:
        labels: int64 (images,).
        probabilities: float (images, classes).

    Returns:
        NaN throughout where all images are of one class.
    """

    def curve(area: float, own: np.ndarray, others: np.ndarray) -> np.ndarray:
        pairs = (1 - area) / (2 - area) + area / (1 + area)
        return area * (1 - area) * (1 + ((own + others) / 2 - 1) * pairs) / (own * others)

    return _averaged(labels, probabilities, _area, curve)


def average_precision(labels: np.ndarray, probabilities: np.ndarray) -> Interval:
    """Area under the steps of the precision-recall curve; of more than two classes the mean over those tested.

    Of two classes, that of the second. It depends on how many images of each class there are: the interval is for
    test images of the same number and mixture. The variance is that of its influence function; its shape elsewhere
    the binomial one of Boyd, Eng & Page (2013), "Area under the precision-recall curve".

    Args:
        labels: int64 (images,).
        probabilities: float (images, classes).

    Returns:
        NaN throughout where all images are of one class.
    """
    return _averaged(labels, probabilities, _average_precision, lambda area, own, _: area * (1 - area) / own)


def _averaged(
    labels: np.ndarray,
    probabilities: np.ndarray,
    figure: _Figure,
    curve: Callable[[float, np.ndarray, np.ndarray], np.ndarray],
) -> Interval:
    tested, counts = np.unique(labels, return_counts=True)
    if len(tested) < 2:
        return Interval(_NAN, _NAN, _NAN)
    ranked, own = (tested[1:], counts[1:]) if len(tested) == 2 == probabilities.shape[1] else (tested, counts)
    values, influence = [], np.zeros(len(labels))
    for name in ranked:
        one, shift = figure(labels == name, probabilities[:, name])
        values.append(one)
        influence += shift / len(ranked)
    others = len(labels) - own
    variance, carriers = _spread(labels, influence)
    return scaled_score(
        float(np.mean(values)), variance, carriers, lambda area: float(curve(area, own, others).mean()) / len(ranked)
    )


def _spread(labels: np.ndarray, influence: np.ndarray) -> tuple[float, float]:
    """Variance of a sum of influences, the images of each class drawn for themselves, and how many carry it.

    Classes of one image are taken together (Cochran 1977, section 5A.12, collapsed strata).

    Returns:
        variance; carriers: as many images, equally influential, would estimate it as well: fewer where few images
        make most of it, or classes of few images do (Satterthwaite 1946).
    """
    counts = np.bincount(labels)
    strata = np.where(counts[labels] == 1, len(counts), labels)
    sizes = np.bincount(strata)[strata]
    means = np.bincount(strata, influence)[strata] / sizes
    squares = np.where(sizes > 1, sizes / np.maximum(sizes - 1, 1), 0) * (influence - means) ** 2
    variance = float(squares.sum())
    alone = bool((sizes == 1).any())  # a single such class: nothing tells how it varies
    # What rounding leaves of a perfect ranking is no variance.
    if variance < _ROUNDING:
        return 0.0, 0.0
    parts, freedom = np.bincount(strata, squares), np.maximum(np.bincount(strata) - 1, 1)
    carriers = min(variance**2 / float((squares**2).sum()), variance**2 / float((parts**2 / freedom).sum()))
    return variance, 0.0 if alone else carriers


def _area(own: np.ndarray, scores: np.ndarray) -> tuple[float, np.ndarray]:
    """Share of pairs in the right order, ties counting half, and by how much each image moves it.

    Args:
        own: bool (images,).
        scores: float (images,).
    """
    high, low = np.sort(scores[own]), np.sort(scores[~own])
    influence = np.empty(len(scores))
    influence[own] = _below(low, scores[own]) / len(low)
    influence[~own] = 1 - _below(high, scores[~own]) / len(high)
    area = float(influence[own].mean())
    influence[own] /= len(high)
    influence[~own] /= len(low)
    return area, influence


def _below(ordered: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return (np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right")) / 2


def _average_precision(own: np.ndarray, scores: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean of the precision at each image of the class, and by how much each image moves it.

    An image of the class moves it by its own precision, and by what it adds to that of those below it; that it stands
    in its own precision is no chance.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = own[order]
    ends = np.flatnonzero(np.diff(scores[order], append=np.nan))
    index = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))
    every, found = ends + 1, np.cumsum(ranked)[ends]
    precision, here = found / every, np.diff(found, prepend=0)
    gained = np.cumsum((here * (1 - precision) / every)[::-1])[::-1]
    lost = np.cumsum((here * precision / every)[::-1])[::-1]
    moved = np.where(ranked, (precision + gained - (1 - precision) / every)[index], -lost[index]) / ranked.sum()
    influence = np.empty(len(scores))
    influence[order] = moved
    return float((here * precision).sum() / ranked.sum()), influence
