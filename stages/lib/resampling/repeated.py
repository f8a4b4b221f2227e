"""Repeated cross-validation of a head: which images are classified right by heads that have not seen them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stages.lib.arrays.parts import stratified_parts
from stages.lib.core.progress import tracked

# Shares of the images of a training part on which heads are trained as well: how the figure grows with them.
SHARES = (0.125, 0.25, 0.5, 1.0)
LEAST = 2  # different images of a class that any head is trained on
# `repeats: auto` judges so many images, some several times, and repeats so often at most.
_JUDGED, _MOST_REPEATS = 2_000, 5

# Labels that a head predicts for some images, trained on others: (trained on, asked) -> int64 (asked,); both int64.
Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Resampled:
    """What repeated cross-validation found.

    Attributes:
        labels: int64 (images,).
        groups: int64 (images,), equal for images that are never on both sides.
        right: bool (repeats, shares, images): whether a head that has not seen the image, nor one of its group, is
            right. The heads of the last share are trained on whole training parts.
        parts: int64 (repeats, images): the part that an image was held out in.
        trained: float64 (shares,): images that a head was trained on, on average.
        different: float64 (shares,): likewise, those of one group and class counted once.
    """

    labels: np.ndarray
    groups: np.ndarray
    right: np.ndarray
    parts: np.ndarray
    trained: np.ndarray
    different: np.ndarray


def repeats_of(asked: int | str, images: int) -> int:
    """How often the images are divided: few of them more often, since their figure depends more on how.

    Args:
        asked: how often, or "auto".
        images: their number.
    """
    return int(np.clip(_JUDGED // images, 1, _MOST_REPEATS)) if isinstance(asked, str) else asked


def parts_of(labels: np.ndarray, groups: np.ndarray, folds: int) -> int:
    """How many parts there can be: no more than the smallest class has different images.

    Args:
        labels: int64 (images,).
        groups: int64 (images,), equal for copies.
        folds: parts that are wanted.
    """
    pairs = np.unique(np.stack([labels, groups]), axis=1)
    return min(folds, int(np.unique(pairs[0], return_counts=True)[1].min()))


def resample(
    labels: np.ndarray,
    groups: np.ndarray,
    predict: Predict,
    folds: int,
    repeats: int,
    seed: int,
    chosen_on: Callable[[np.ndarray], Predict] | None = None,
    shown: bool = True,
) -> Resampled:
    """Divide the images into parts and judge each by heads trained on the others; and again, divided otherwise.

    Heads are trained on growing shares of the other parts too, the smaller inside the larger, and judged on the same
    images.

    Args:
        labels: int64 (images,).
        groups: int64 (images,): images of one group are never on both sides; each class has at least three groups.
        predict: trains a head on some images and predicts others, by their numbers.
        folds: parts.
        repeats: how often.
        seed: decides the parts.
        chosen_on: gives in place of `predict` what makes its own choices on some images. In every repeat it is asked
            twice: for the parts of each half, to choose on those of the other half.
        shown: whether to tell how many heads are trained.
    """
    count, parts = len(labels), parts_of(labels, groups, folds)
    shares = _shares(labels, groups, parts)
    right = np.zeros((repeats, len(shares), count), bool)
    held_out = np.zeros((repeats, count), np.int64)
    trained, different = np.zeros(len(shares)), np.zeros(len(shares))
    kinds = labels * (int(groups.max()) + 1) + groups

    def steps() -> Iterator[None]:
        for repeat in range(repeats):
            order = np.random.default_rng([seed, repeat]).permutation(int(groups.max()) + 1)
            splits = list(_splits(labels, groups, parts, seed + repeat))
            predicts = _by_half(splits, chosen_on) if chosen_on else [predict] * parts
            for part, (others, own) in enumerate(splits):
                held_out[repeat, own] = part
                for place, share in enumerate(shares):
                    some = _some(others, labels, order[groups], share)
                    trained[place] += len(some) / (repeats * parts)
                    different[place] += len(np.unique(kinds[some])) / (repeats * parts)
                    right[repeat, place, own] = predicts[part](some, own) == labels[own]
                    yield

    for _ in tracked(steps(), "heads", repeats * parts * len(shares)) if shown else steps():
        pass
    return Resampled(labels, groups, right, held_out, trained, different)


def _splits(labels: np.ndarray, groups: np.ndarray, parts: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    found = stratified_parts(labels, groups, parts, seed)
    for part in range(parts):
        yield np.flatnonzero(found != part), np.flatnonzero(found == part)


def _by_half(
    splits: Sequence[tuple[np.ndarray, np.ndarray]], chosen_on: Callable[[np.ndarray], Predict]
) -> list[Predict]:
    """What predicts each part: of the first half, chosen on the images of the second, and the other way round."""
    half = len(splits) // 2
    first, second = (np.concatenate([own for _, own in some]) for some in (splits[:half], splits[half:]))
    before, after = chosen_on(second), chosen_on(first)
    return [before] * half + [after] * (len(splits) - half)


def _shares(labels: np.ndarray, groups: np.ndarray, parts: int) -> list[float]:
    """The shares of which the smallest class has enough different images, in every training part."""
    smallest = parts_of(labels, groups, len(labels))
    least = smallest - -(-smallest // parts)
    return [share for share in SHARES if share == 1 or round(share * least) >= LEAST]


def _some(others: np.ndarray, labels: np.ndarray, order: np.ndarray, share: float) -> np.ndarray:
    """Numbers of a share of the images, of each class the same share of its groups, in the order of these."""
    if share == 1:
        return others
    table = pd.DataFrame({"label": labels[others], "order": order[others]})
    rank = table.groupby("label")["order"].rank(method="dense")
    wanted = (share * rank.groupby(table["label"]).transform("max")).round().clip(lower=LEAST)
    return others[(rank <= wanted).to_numpy()]
