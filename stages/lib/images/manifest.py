"""The images of a subset, their labels and the names of the classes, as the manifest has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from safety.words import first_few
from stages.lib.core.errors import UserError

SubsetName = Literal["train", "validation", "test"]
SUBSETS: tuple[SubsetName, ...] = ("train", "validation", "test")
_NAMED = 20  # classes in an error


@dataclass(frozen=True)
class Subset:
    """Images in the order of the manifest.

    Attributes:
        paths: files.
        names: the same, relative to the dataset.
        checksums: sha256 of each file.
        labels: int64 (images,), indices into `classes`.
        classes: names, sorted; the same for every subset.
    """

    paths: list[Path]
    names: list[str]
    checksums: list[str]
    labels: np.ndarray
    classes: list[str]


def read_manifest(file: Path) -> pd.DataFrame:
    """Read the table that `split` wrote.

    Returns:
        A row per image: path, class, subset, group (empty without), width, height (pixels), bytes, sha256,
        brightness in [0, 1], sharpness (`stages.lib.decoding.quality`).

    Example:
        >>> manifest = read_manifest(Path("data/manifest.csv"))
        >>> sorted(manifest["class"].unique())
        ['cat', 'dog']
    """
    text = ("path", "class", "subset", "group", "sha256")
    return pd.read_csv(file, dtype=dict.fromkeys(text, str), na_filter=False)


def copies_among(images: pd.DataFrame, copies: pd.DataFrame) -> np.ndarray:
    """Which images are copies of one another.

    By content: `split` renames files of one name, and a file that was set aside is another row of the same group.

    Args:
        images: rows of the table of images.
        copies: the table of copies, from the stage `split`.

    Returns:
        int64 (images,), equal for copies; of an image without a copy a negative number of its own.
    """
    known = dict(zip(copies["sha256"], copies["group"].astype(np.int64), strict=True))
    return np.array([known.get(checksum, -1 - place) for place, checksum in enumerate(images["sha256"])], np.int64)


def read_subsets(dataset: Path, manifest: Path, *names: SubsetName) -> list[Subset]:
    """List the images of some subsets; the manifest is read once for all of them.

    Args:
        dataset: directory of the images, from the stage `split`.
        manifest: table of the images, from the same stage.
        names: subsets that are wanted.

    Returns:
        The subsets, in the order of `names`.

    Raises:
        UserError: a subset is empty.

    Example:
        >>> train, test = read_subsets(Path("data/dataset"), Path("data/manifest.csv"), "train", "test")
        >>> test.classes[test.labels[0]]
        'cat'
    """
    table = read_manifest(manifest)
    classes = sorted(table["class"].unique())
    subsets = []
    for name in names:
        rows = table[table["subset"] == name]
        if rows.empty:
            raise UserError(f"{manifest}: expected images in subset {name!r}, found none")
        paths = rows["path"].tolist()
        labels = np.searchsorted(classes, rows["class"].to_numpy(str)).astype(np.int64)
        subsets.append(Subset([dataset / path for path in paths], paths, rows["sha256"].tolist(), labels, classes))
    return subsets


def require_classes(images: Subset, found: Sequence[str], what: object) -> None:
    """Refuse what was made with other classes than those of the images: its first class would be taken for theirs.

    Args:
        images: of any subset.
        found: names of the classes, in the order of their numbers.
        what: has them, such as the directory of a model.

    Raises:
        UserError: other names, or another order.
    """
    if list(found) == images.classes:
        return
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(images.classes, found, strict=False))))
    # Where they are alike for long, what is told begins with what is not.
    start, where = (same, f", from number {same + 1:,} on") if same >= _NAMED else (0, "")
    expected, received = (first_few(names[start:], _NAMED) or "none" for names in (images.classes, found))
    raise UserError(
        f"{what}: expected the classes of the images{where}: {expected}. Received: {received}; the stage that made it "
        "has to run again"
    )


def read_subset(dataset: Path, manifest: Path, name: SubsetName) -> Subset:
    """List the images of one subset, as `read_subsets` does."""
    return read_subsets(dataset, manifest, name)[0]
