"""What the report cautions about where test images come in groups, such as of one patient, or as near copies."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from safety.words import counted, first_few
from stages.lib.comparison.evaluations import Results
from stages.lib.comparison.wording import percent
from stages.lib.core.errors import UserError
from stages.lib.evaluation.intervals import Interval, different, mean_share, wilson
from stages.lib.images.manifest import copies_among

_FEWER = 0.9  # of the test images, as what groups leave them worth: above it their intervals are hardly too narrow
_SURER = "intervals, and comparisons of models, count each image by itself and are surer than that allows"


def cautions_of(results: Results, images: pd.DataFrame, copies: pd.DataFrame) -> list[str]:
    """Say how much less the test images may be worth than their number, where some are of one group.

    Args:
        results: of the models.
        images: the table of all images, with path, group and sha256.
        copies: the table of copies, with group and sha256.

    Returns:
        One sentence; none where each test image is by itself, or where few of them are of a group or near copies.

    Raises:
        UserError: a test image is not in the table any more.
    """
    paths = results.recommended.predictions["path"].to_numpy(str)
    table = images.set_index("path")
    if gone := [path for path in paths if path not in table.index]:
        raise UserError(
            f"report: expected the test images that were evaluated, found no {first_few(gone, 3)}: run `smallset run` "
            "again"
        )
    own = table.loc[paths]
    copied = copies_among(own, copies)
    together = any_together(own)
    named = [f"group {one}" if one else f"copy {copy}" for one, copy in zip(own["group"], copied, strict=True)]
    groups = np.array(named) if together else copied
    if different(groups) >= _FEWER * len(paths):
        return []
    return [_in_groups(results, groups) if together else _as_copies(results, groups)]


def any_together(images: pd.DataFrame) -> bool:
    """Whether two of some images are of one group; `images` is the part of the table that has them."""
    return bool(images.loc[images["group"] != "", "group"].duplicated().any())


def _in_groups(results: Results, groups: np.ndarray) -> str:
    counts = np.unique(groups, return_counts=True)[1]
    several = counts[counts > 1]
    return (
        f"{several.sum():,} of the {len(groups):,} test images lie in {counted(len(several), 'group')} of several "
        f"(split.group, or near copies), and images of a group may err together: {_SURER}. Were all images of "
        f"a group alike, {_range(results, groups)}. Test on more groups rather than on more images of these."
    )


def _as_copies(results: Results, groups: np.ndarray) -> str:
    return (
        f"The {len(groups):,} test images are worth about {different(groups):,.0f} different ones: near copies "
        f"(data/duplicates.csv) may err together, and {_SURER}. Were all copies of an image alike, "
        f"{_range(results, groups)}. Keep one of each, or test on more different images."
    )


def _range(results: Results, groups: np.ndarray) -> str:
    found = _if_all_alike(results, groups)
    return f"{results.words} may be anything from {100 * found.low:.1f} to {percent(found.high)}"


def series_cautions(split: Mapping[str, Any]) -> list[str]:
    """Say that near copies lie in two subsets, as those of a series that changes slowly may, or with a wrong label.

    Args:
        split: what the stage `split` has counted.

    Returns:
        A sentence for those of one class, and one for those of two; none where there is less than a pair for every
        hundred test images: these move no figure by more than a point.
    """
    said = []
    if many := _if_many(split, "near_copies_apart"):
        said.append(
            f"At least {counted(many, 'pair of near copies lies', 'pairs of near copies lie')} in two subsets, as in a "
            f"series that changes little by little (a burst, frames of a film), so figures may be too high. Give all "
            "of such a series one group (split.group)."
        )
    if many := _if_many(split, "near_copies_disputed"):
        pairs = counted(many, "pair of near copies of two classes lies", "pairs of near copies of two classes lie")
        said.append(
            f"At least {pairs} in two subsets, so a label of each is likely wrong. `smallset log split` names some: "
            "look at them."
        )
    return said


def _if_many(split: Mapping[str, Any], key: str) -> int:
    """What is counted, where it is one for every hundred test images; else 0."""
    count = int(split.get(key, 0))
    return count if 100 * count >= sum(split["test"].values()) else 0


def _if_all_alike(results: Results, groups: np.ndarray) -> Interval:
    """The headline with its interval for as many independent images as the groups are worth at least."""
    right, labels = results.recommended.right, results.labels.to_numpy(str)
    if results.headline == "accuracy":
        count = different(groups)
        return wilson(float(right.mean()) * count, count)
    own = [labels == label for label in np.unique(labels)]
    counts = np.array([different(groups[one]) for one in own])
    return mean_share(np.array([right[one].mean() for one in own]) * counts, counts)
