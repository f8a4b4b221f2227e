"""The table of copies, and the refusal of one that says that nearly everything is a copy."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from safety.words import counted
from stages.lib.core.errors import UserError
from stages.lib.duplicates.groups import Found, compared
from stages.lib.inventory.contents import ArchiveImage

UNDECIDED = "none: the stage failed"
_EXAMPLES = 3  # groups that a refusal shows


def copy_table(images: Sequence[ArchiveImage], groups: np.ndarray) -> pd.DataFrame:
    """List the images that have a copy, group by group.

    Args:
        images: all images that have a class.
        groups: int64 (images,), as from `near_groups`.

    Returns:
        group (from 1), path (in the archive), sha256, class, kind (exact: an equal file is there; near; mirrored),
        distance (from the image that stands for the group, as in `likeness`), action (nothing yet). The index of the
        table is that of the image in `images`.
    """
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(index)
    apart, mirrored = compared(images, groups)
    rows, listed = [], []
    for number, indices in enumerate((indices for indices in members.values() if len(indices) > 1), start=1):
        files = Counter(images[index].sha256 for index in indices)
        for index in indices:
            image = images[index]
            kind = "exact" if files[image.sha256] > 1 else "mirrored" if mirrored[index] else "near"
            rows.append((number, image.name, image.sha256, image.label, kind, round(float(apart[index]), 2), UNDECIDED))
            listed.append(index)
    table = pd.DataFrame(rows, listed, columns=["group", "path", "sha256", "class", "kind", "distance", "action"])
    # An empty column would be one of numbers.
    return table.astype(dict.fromkeys(("path", "sha256", "class", "kind", "action"), str))


def check_copies(copies: pd.DataFrame, total: int, limit: float, listed: Path) -> None:
    """Refuse when so many images are near copies that it is not a few copies that were found.

    Args:
        copies: as from `copy_table`.
        total: images.
        limit: largest share of them.
        listed: the table's file.

    Raises:
        UserError: with the share, examples and what to set.
    """
    near = copies[copies["kind"] != "exact"]
    # One of each group is an original: an exact copy, where there is one.
    surplus = len(near) - len(set(near["group"]) - set(copies.loc[copies["kind"] == "exact", "group"]))
    if surplus <= limit * total:
        return
    sizes = near["group"].value_counts()
    shown = [" = ".join(copies.loc[copies["group"] == group, "path"].head(2)) for group in sizes.index[:_EXAMPLES]]
    raise UserError(
        f"split.max_near_duplicates: {surplus} of {total} images ({surplus / total:.1%}; expected at most "
        f"{limit:.1%}) are near copies of another one, {sizes.iloc[0]} in the largest group; all are in {listed}, "
        f"for example {', '.join(shown)}. If they are copies, raise split.max_near_duplicates; if they are not, lower "
        "split.near_duplicates or set it to null"
    )


def in_two_subsets(found: Found, subsets: Sequence[str | None]) -> list[tuple[int, int]]:
    """Near copies that lie in two subsets, as those of a series that changes slowly may.

    Args:
        found: by the search.
        subsets: of each image; None of one that is in none.

    Returns:
        The places of both images of each pair.
    """
    kept: dict[int, int] = {}
    for index, alike in enumerate(found.alike.tolist()):
        if subsets[index] is not None:
            kept.setdefault(alike, index)
    pairs = [(kept[one], kept[other]) for one, other in found.between.tolist() if one in kept and other in kept]
    return [(one, other) for one, other in pairs if subsets[one] != subsets[other]]


def as_told(copies: pd.DataFrame, listed: Path) -> str:
    """What the message of a failed split adds, where copies may be the reason: nothing where there are none."""
    if copies.empty:
        return ""
    classes = int((copies.groupby("group")["class"].nunique() > 1).sum())
    images = counted(len(copies), "image is a copy", "images are copies")
    return f"; {images}, in {counted(classes, 'group')} across classes: see {listed}"
