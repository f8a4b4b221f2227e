"""The images that are cross-validated: all that have features, of every class of which there are enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.lib.arrays import feature_files
from stages.lib.arrays.drawn_groups import drawn_groups
from stages.lib.arrays.rows import Picked
from stages.lib.images.manifest import SUBSETS

LEAST = 3  # different images of a class: one to be judged, two to learn from
_KEPT = 10  # images of a class that are taken in any case, where not all are


@dataclass(frozen=True)
class Images:
    """Images of every subset, one after the other.

    Attributes:
        vectors: float32 (images, channels), read when it is asked for.
        mirrored: the same of the mirrored images; None without.
        labels: int64 (images,), indices into `classes`.
        groups: int64 (images,), equal for copies and within a group.
        classes: names.
        left_out: names of the classes that have too few different images.
        of: images before some were drawn.
    """

    vectors: Picked
    mirrored: Picked | None
    labels: np.ndarray
    groups: np.ndarray
    classes: list[str]
    left_out: list[str]
    of: int


def read_images(features: Path, groups_of: Callable[[Sequence[str]], np.ndarray], most: int, seed: int) -> Images:
    """Read what the stage `features` wrote, without the classes of which there are too few different images.

    Args:
        features: directory of the stage `features`.
        groups_of: int64 (images,) of their names, equal for images that belong together.
        most: images that are taken; of more, that many are drawn by whole groups, the same share of each class.
        seed: of what is drawn.
    """
    names, _ = feature_files.read_about(features)
    every = feature_files.read_all(features, SUBSETS)
    labels, groups = every.labels, groups_of(every.names)
    pairs = np.unique(np.stack([labels, groups]), axis=1)
    different = np.bincount(pairs[0], minlength=len(names))
    kept = different >= LEAST
    enough = np.flatnonzero(kept[labels])
    rows = enough[_drawn(labels[enough], groups[enough], most, seed)]
    return Images(
        Picked([every.vectors], rows),
        None if every.mirrored is None else Picked([every.mirrored], rows),
        (np.cumsum(kept) - 1)[labels[rows]],
        groups[rows],
        [name for name, keep in zip(names, kept, strict=True) if keep],
        [name for name, keep in zip(names, kept, strict=True) if not keep],
        len(enough),
    )


def _drawn(labels: np.ndarray, groups: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Numbers of about so many images, in their order, by whole groups.

    Of each class the same share, `_KEPT` in any case, and among them `LEAST` different ones: where nearly all images of
    a class are copies of one, chance alone would leave nothing to hold out.
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    counts = np.bincount(labels)
    wanted = np.maximum(_KEPT, counts * most / len(labels)).round().astype(np.int64)
    return drawn_groups(labels, groups, wanted, LEAST, seed)
