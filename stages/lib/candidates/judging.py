"""How good a head on a candidate's features is, by images that it has not seen: nested cross-validation."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.lib.arrays import feature_files
from stages.lib.arrays.rows import Picked
from stages.lib.candidates.folds import groups_of, out_of_fold
from stages.lib.images.manifest import SubsetName, read_manifest
from stages.lib.inference import predictions

# What a choice may learn from: never the test images.
LEARNED: tuple[SubsetName, ...] = ("train", "validation")
_FILE = "out_of_fold.csv"


def judge(folder: Path, manifest: Path, duplicates: Path, seed: int) -> pd.DataFrame:
    """Predictions of the training and validation images, each by a head that knows neither it nor its copies.

    The folds depend on labels, groups and seed alone, so every candidate is judged on the same ones; the strength of a
    head is chosen inside, by another cross-validation on the images that it learns from.

    Args:
        folder: with the features of these images, as `feature_files` writes them.
        manifest: table of the images, from the stage `split`.
        duplicates: table of copies, from the stage `split`.
        seed: of the folds.

    Returns:
        As `predictions.measured`.
    """
    classes, _ = feature_files.read_about(folder)
    sets = [feature_files.read(folder, subset) for subset in LEARNED]
    names = [name for found in sets for name in found.names]
    labels = np.concatenate([found.labels for found in sets])
    vectors = Picked([found.vectors for found in sets], np.arange(len(names)))
    images = read_manifest(manifest).set_index("path")
    probabilities = out_of_fold(vectors, labels, groups_of(names, duplicates, images), len(classes), seed)
    return predictions.measured(names, images["sha256"][names].tolist(), labels, classes, probabilities)


def write(judged: pd.DataFrame, folder: Path) -> None:
    """Write the predictions that `judge` gives."""
    predictions.write(judged, folder / _FILE)


def read(folder: Path) -> pd.DataFrame:
    """Read the predictions that `write` wrote."""
    return predictions.read(folder / _FILE)
