"""The table of predictions: what `evaluate` writes, per image, and the report reads."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from stages.lib.core.errors import UserError
from stages.lib.core.outputs import write_csv

_PREFIX = "p_"
# Of images whose class is known; after them comes a column of each class.
COLUMNS = ("path", "sha256", "label", "predicted")


def table(names: Sequence[str], classes: Sequence[str], probabilities: np.ndarray) -> pd.DataFrame:
    """A row per image: path, predicted, and the probability of each class as `p_<class>`.

    Args:
        names: paths of the images.
        classes: names, in the order of the columns of `probabilities`.
        probabilities: float64 (images, classes).
    """
    predicted = np.asarray(classes, object)[probabilities.argmax(axis=1)]
    columns = {column: probabilities[:, index] for index, column in enumerate(columns_of(classes))}
    return pd.DataFrame({"path": list(names), "predicted": predicted} | columns)


def columns_of(classes: Sequence[str]) -> list[str]:
    """Names of the columns that hold the probabilities of these classes: `p_<class>`."""
    return [f"{_PREFIX}{name}" for name in classes]


def classes_of(predictions: pd.DataFrame) -> list[str]:
    """The classes whose probabilities a table of predictions holds, in the order of its columns."""
    names = map(str, predictions.columns)
    return [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]


def probabilities_of(predictions: pd.DataFrame) -> np.ndarray:
    """The probabilities in a table of predictions: float64 (images, classes), in the order of `classes_of`."""
    return predictions[columns_of(classes_of(predictions))].to_numpy(np.float64)


def measured(
    names: Sequence[str],
    checksums: Sequence[str],
    labels: np.ndarray,
    classes: Sequence[str],
    probabilities: np.ndarray,
) -> pd.DataFrame:
    """The same of images whose class is known: path, sha256, label, predicted, `p_<class>`.

    Args:
        names: paths of the images.
        checksums: SHA-256 of each file.
        labels: int64 (images,), indices into `classes`.
        classes: names, in the order of the columns of `probabilities`.
        probabilities: float64 (images, classes).

    Raises:
        UserError: an image has no finite probabilities: it would count as one of the first class.
    """
    wrong = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if len(wrong):
        raise UserError(
            f"predictions: expected finite probabilities, found others for {len(wrong):,} of {len(names):,} images, "
            f"such as {names[wrong[0]]}: set precision to float32, or use another backbone.preset"
        )
    found = table(names, classes, probabilities)
    found = found.assign(sha256=list(checksums), label=np.asarray(classes, object)[labels])
    return found[[*COLUMNS, *columns_of(classes)]]


def write(predictions: pd.DataFrame, file: Path) -> None:
    """Write a table of predictions, probabilities with seven digits."""
    write_csv(predictions, file, float_format="%.7g")


def read(file: Path) -> pd.DataFrame:
    """Read a table of predictions: path, label, predicted as text, `p_<class>` as float64."""
    header = pd.read_csv(file, nrows=0).columns
    kinds = {name: float if name.startswith(_PREFIX) else str for name in header}
    return pd.read_csv(file, dtype=kinds, na_filter=False)
