"""How good a head on a candidate's features is, by images that it has not seen: nested cross-validation."""

from pathlib import Path

import pandas as pd

from stages.lib.arrays import feature_files
from stages.lib.core.errors import UserError
from stages.lib.heads import logistic
from stages.lib.heads.cross_validation import out_of_fold
from stages.lib.images.manifest import SubsetName, read_manifest
from stages.lib.inference import predictions
from stages.lib.splitting.together import groups_of

# What a choice may learn from: never the test images.
LEARNED: tuple[SubsetName, ...] = ("train", "validation")


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

    Raises:
        UserError: no image can be held out.
    """
    classes, _ = feature_files.read_about(folder)
    images = feature_files.read_all(folder, LEARNED)
    groups = groups_of(images.names, manifest, duplicates)
    found = out_of_fold(logistic.fit, images.vectors, images.labels, groups, len(classes), seed, images.mirrored)
    if not len(found):
        raise UserError("backbone.candidates: expected a class with two images that are no copies, to choose by")
    checksums = read_manifest(manifest).set_index("path")["sha256"][images.names].tolist()
    return predictions.measured(images.names, checksums, images.labels, classes, found[0])
