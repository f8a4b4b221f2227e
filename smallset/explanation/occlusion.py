"""Where a model looks, asked by covering one place after the other; for networks of which no map says it."""

from collections.abc import Callable

import numpy as np

_CELLS = 8  # side by side, at most: fewer are coarse, more cost their square of passes
_SURE = 1e6  # log odds: what is infinite counts as much, so that other places keep a number
_NEXT_TO_EACH_OTHER = 2  # cells of a side that are covered at once, where there are that many

Odds = Callable[[np.ndarray], np.ndarray]


def occlusion(log_odds: Odds, images: np.ndarray, classes: np.ndarray, patch: int = 1) -> np.ndarray:
    """How much the log odds of a class fall when a place is covered by the mean colour (Zeiler & Fergus 2014).

    It looks at outputs alone, so it holds for any network. Not at logits: a network may say "green" by a low logit of
    all else, and its logit of "green" then says nothing. Of many cells four are covered at once, each cell in turn
    with all its neighbours, since half of a thing may say as much as the whole. Cells end where patches do.

    Args:
        log_odds: gives the logarithm of p / (1 - p) by the probability p of each class, float32 (count, classes), of
            images float32 (count, height, width, channels) in [0, 255].
        images: uint8 (count, size, size, channels) in [0, 255].
        classes: int (count,): the class to explain per image, an index.
        patch: pixels of a side of what the network reads as one.

    Returns:
        float32 (count, cells, cells) in [0, 1], at most 8 cells side by side, each divided by its maximum; zero where
        a place speaks for other classes, or the network gives no number.
    """
    return np.stack([_heat(log_odds, *pair, patch) for pair in zip(images, classes, strict=True)])


def _heat(log_odds: Odds, image: np.ndarray, explained: int, patch: int) -> np.ndarray:
    patches = len(image) // patch
    cells = min(_CELLS, patches)
    edges = patch * np.linspace(0, patches, cells + 1).round().astype(int)
    width = _NEXT_TO_EACH_OTHER if cells == _CELLS else 1
    starts = [(row, column) for row in range(cells - width + 1) for column in range(cells - width + 1)]
    # One more than there are places: the last stays whole.
    covered = np.repeat(image[np.newaxis].astype(np.float32), len(starts) + 1, axis=0)
    mean = image.mean(axis=(0, 1))
    for one, (row, column) in zip(covered, starts, strict=False):
        one[edges[row] : edges[row + width], edges[column] : edges[column + width]] = mean
    scores = np.clip(log_odds(covered)[:, explained], -_SURE, _SURE)
    falls = np.nan_to_num(scores[-1] - scores[:-1])
    sums, times = np.zeros((cells, cells)), np.zeros((cells, cells))
    for fall, (row, column) in zip(falls, starts, strict=True):
        sums[row : row + width, column : column + width] += fall
        times[row : row + width, column : column + width] += 1
    heat = np.maximum(sums / times, 0)
    return (heat / max(heat.max(), np.finfo(np.float32).tiny)).astype(np.float32)
