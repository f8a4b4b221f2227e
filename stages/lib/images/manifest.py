"""The pictures of a subset, their labels and the names of the classes, as the manifest has them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from stages.lib.core.errors import UserError

SubsetName = Literal["train", "validation", "test"]
SUBSETS: tuple[SubsetName, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Subset:
    """Pictures in the order of the manifest.

    paths: files. names: the same, relative to the dataset. checksums: sha256 of each file. labels: int64 (pictures,),
    indices into `classes`. classes: names, sorted; the same for every subset.
    """

    paths: list[Path]
    names: list[str]
    checksums: list[str]
    labels: np.ndarray
    classes: list[str]


def read_manifest(file: Path) -> pd.DataFrame:
    """Read the table that `split` wrote.

    Returns:
        A row per picture: path, class, subset, group (empty without), width, height (pixels), bytes, sha256,
        brightness in [0, 1], sharpness (`stages.lib.inventory.quality`).
    """
    text = ("path", "class", "subset", "group", "sha256")
    return pd.read_csv(file, dtype=dict.fromkeys(text, str), na_filter=False)


def read_subset(dataset: Path, manifest: Path, subset: SubsetName) -> Subset:
    """List the pictures of one subset.

    Raises:
        UserError: the subset is empty.
    """
    table = read_manifest(manifest)
    classes = sorted(table["class"].unique())
    rows = table[table["subset"] == subset]
    if rows.empty:
        raise UserError(f"{manifest}: expected pictures in subset {subset!r}, found none")
    names = rows["path"].tolist()
    labels = np.searchsorted(classes, rows["class"].to_numpy(str)).astype(np.int64)
    return Subset([dataset / name for name in names], names, rows["sha256"].tolist(), labels, classes)
