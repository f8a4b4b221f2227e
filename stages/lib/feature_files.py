"""The cache of pooled features: what the stage `features` writes and the heads read."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stages.lib.manifest import Subset, SubsetName
from stages.lib.params import Precision

_ABOUT = "features.json"


@dataclass(frozen=True)
class FeatureSet:
    """Features of one subset.

    vectors: float32 (pictures, channels), in a file. labels: int64 (pictures,). names: paths relative to the dataset.
    """

    vectors: np.ndarray
    labels: np.ndarray
    names: list[str]


def write(directory: Path, subset: SubsetName, pictures: Subset, channels: int, vectors: Iterable[np.ndarray]) -> None:
    """Write one subset as it comes, batch by batch: `<subset>.npy` and `<subset>.csv` (path, label), in one order.

    Args:
        vectors: float32 (batch, channels) each, in the order of `pictures`.
    """
    shape = (len(pictures.paths), channels)
    table = np.lib.format.open_memmap(directory / f"{subset}.npy", "w+", np.float32, shape)
    start = 0
    for batch in vectors:
        table[start : start + len(batch)] = batch
        start += len(batch)
    table.flush()
    rows = pd.DataFrame({"path": pictures.names, "label": pictures.labels})
    rows.to_csv(directory / f"{subset}.csv", index=False)


def write_about(directory: Path, classes: list[str], precision: Precision) -> None:
    """Write down what shaped the features: the names of the classes and the precision."""
    about = {"classes": classes, "precision": precision}
    (directory / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def read(directory: Path, subset: SubsetName) -> FeatureSet:
    """Open the features of one subset; the vectors stay in their file."""
    rows = pd.read_csv(directory / f"{subset}.csv", dtype={"path": str}, na_filter=False)
    vectors = np.load(directory / f"{subset}.npy", mmap_mode="r")
    return FeatureSet(vectors, rows["label"].to_numpy(np.int64), rows["path"].tolist())


def read_about(directory: Path) -> tuple[list[str], Precision]:
    """The names of the classes, and the precision the features were computed in."""
    about = json.loads((directory / _ABOUT).read_text(encoding="utf-8"))
    return about["classes"], about["precision"]
