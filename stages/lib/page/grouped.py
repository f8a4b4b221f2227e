"""What the report cautions about where test images come in groups, such as of one patient."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from safety.words import counted, first_few
from stages.lib.comparison.evaluations import Results
from stages.lib.comparison.wording import percent
from stages.lib.core.errors import UserError
from stages.lib.evaluation.intervals import Interval, different, mean_share, wilson


def cautions_of(results: Results, images: pd.DataFrame) -> list[str]:
    """Say how much less the test images may be worth than their number, where some are of one group.

    Args:
        results: of the models.
        images: the table of all images, with path and group.

    Returns:
        One sentence; none where each test image is by itself.

    Raises:
        UserError: a test image is not in the table any more.
    """
    paths = results.recommended.predictions["path"].to_numpy(str)
    table = images.set_index("path")["group"]
    if gone := [path for path in paths if path not in table.index]:
        raise UserError(
            f"report: expected the test images that were evaluated, found no {first_few(gone, 3)}: run `smallset run` "
            "again"
        )
    known = table.loc[paths].to_numpy(str)
    groups = np.where(known == "", paths, known)
    count = len(np.unique(groups))
    if count == len(groups):
        return []
    found = _if_all_alike(results, groups)
    return [
        f"The {len(groups):,} test images are of {counted(count, 'group')}, and images of a group may err together: "
        "intervals, and comparisons of models, count each image by itself and are surer than that allows. Were all "
        f"images of a group alike, {results.words} may be anything from {100 * found.low:.1f} to "
        f"{percent(found.high)}. Test on more groups rather than on more images of these."
    ]


def series_cautions(split: Mapping[str, Any]) -> list[str]:
    """Say that near copies lie in two subsets, as those of a series that changes slowly may.

    Args:
        split: what the stage `split` has counted.

    Returns:
        One sentence; none where it found no such pair.
    """
    if not (apart := split.get("near_copies_apart")):
        return []
    return [
        f"At least {counted(apart, 'pair')} of near copies {'lies' if apart == 1 else 'lie'} in two subsets, as in a "
        "series that changes little by little (a burst, frames of a film), so figures may be too high. Name each such "
        "series by split.group."
    ]


def _if_all_alike(results: Results, groups: np.ndarray) -> Interval:
    """The headline with its interval for as many independent images as the groups are worth at least."""
    right, labels = results.recommended.right, results.labels.to_numpy(str)
    if results.headline == "accuracy":
        count = different(groups)
        return wilson(float(right.mean()) * count, count)
    own = [labels == label for label in np.unique(labels)]
    counts = np.array([different(groups[one]) for one in own])
    return mean_share(np.array([right[one].mean() for one in own]) * counts, counts)
