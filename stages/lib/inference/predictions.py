"""The table of predictions: what `evaluate` writes, per picture, and the report reads."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from stages.lib.core.outputs import write_csv

_PREFIX = "p_"


def table(names: Sequence[str], classes: Sequence[str], probabilities: np.ndarray) -> pd.DataFrame:
    """A row per picture: path, predicted, and the probability of each class as `p_<class>`.

    Args:
        names: paths of the pictures.
        classes: names, in the order of the columns of `probabilities`.
        probabilities: float64 (pictures, classes).
    """
    predicted = np.asarray(classes, object)[probabilities.argmax(axis=1)]
    columns = {f"{_PREFIX}{name}": probabilities[:, index] for index, name in enumerate(classes)}
    return pd.DataFrame({"path": list(names), "predicted": predicted} | columns)


def measured(
    names: Sequence[str],
    checksums: Sequence[str],
    labels: np.ndarray,
    classes: Sequence[str],
    probabilities: np.ndarray,
) -> pd.DataFrame:
    """The same of pictures whose class is known: path, sha256, label, predicted, `p_<class>`.

    Args:
        names: paths of the pictures.
        checksums: SHA-256 of each file.
        labels: int64 (pictures,), indices into `classes`.
        classes: names, in the order of the columns of `probabilities`.
        probabilities: float64 (pictures, classes).
    """
    found = table(names, classes, probabilities)
    found.insert(1, "sha256", list(checksums))
    found.insert(2, "label", np.asarray(classes, object)[labels])
    return found


def write(predictions: pd.DataFrame, file: Path) -> None:
    """Write a table of predictions, probabilities with seven digits."""
    write_csv(predictions, file, float_format="%.7g")


def read(file: Path) -> pd.DataFrame:
    """Read a table of predictions: path, label, predicted as text, `p_<class>` as float64."""
    header = pd.read_csv(file, nrows=0).columns
    kinds = {name: float if name.startswith(_PREFIX) else str for name in header}
    return pd.read_csv(file, dtype=kinds, na_filter=False)
