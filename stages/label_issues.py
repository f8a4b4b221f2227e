"""Images that are likely mislabelled: models that have not seen them are sure of another class."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from safety.words import counted
from stages.lib.arrays import feature_files
from stages.lib.arrays.rows import Picked
from stages.lib.confident_learning import calibrated, large_enough, out_of_sample, suspicious
from stages.lib.core import entry
from stages.lib.core.outputs import atomic_file, is_disabled, write_csv, write_json
from stages.lib.core.params import CommonParams
from stages.lib.core.sections import LabelIssuesParams
from stages.lib.images.manifest import SUBSETS, read_manifest
from stages.lib.inference import predictions
from stages.lib.splitting.together import groups_of

_COLUMNS = ["path", "class", "subset", "suggested", "p_class", "p_suggested"]


@dataclass(frozen=True)
class Judged:
    """Images with probabilities of models that have not seen them.

    Attributes:
        names: relative to the dataset.
        labels: int64 (images,), indices into `classes`.
        probabilities: float64 (images, classes).
        by: what they come from.
    """

    names: list[str]
    labels: np.ndarray
    classes: list[str]
    probabilities: np.ndarray
    by: Literal["features", "predictions", "nothing"]


def label_issues(
    manifest: Path,
    duplicates: Path,
    features: Path,
    evaluations: Path,
    table: Path,
    counts: Path,
    common: CommonParams,
    params: LabelIssuesParams,
) -> None:
    """Write the likely mislabelled images, the most suspicious first, and how many of how many they are.

    All images are judged by their features. Where features are turned off, only the test images are judged, by the
    predictions of the models.

    Args:
        manifest: table of the images, from the stage `split`.
        duplicates: table of copies, from the stage `split`: no image is judged by a model that knows a copy of it.
        features: directory of the stage `features`.
        evaluations: a directory with predictions per model.
        table: csv to write: path (relative to the dataset), class, subset, suggested (the likelier class), p_class and
            p_suggested (calibrated probabilities of the two, in [0, 1]).
        counts: json to write: checked and suspicious (numbers of images), by ("features", "predictions" or "nothing").
        common: section `common` of params.yaml.
        params: section `label_issues` of params.yaml.
    """
    judged = Judged([], np.zeros(0, np.int64), [], np.zeros((0, 0)), "nothing")
    images = read_manifest(manifest).set_index("path")
    if not params.enabled:
        print("label_issues: turned off in params.yaml")
    elif not is_disabled(features):
        judged = _by_features(features, manifest, duplicates, params.folds, common.seed)
    else:
        judged = _by_predictions(evaluations) or judged
        if not judged.names:
            print("label_issues: no image is judged, features and models are turned off")
    issues = _named(judged, images, params.threshold)
    with atomic_file(table) as partial:
        write_csv(issues, partial)
    found = {"checked": len(judged.names), "suspicious": len(issues), "by": judged.by}
    write_json(found, counts)
    if judged.names:
        print(f"{found['suspicious']} of {found['checked']} images are likely mislabelled, by their {found['by']}")
    if in_test := int((issues["subset"] == "test").sum()):
        said = "1 of them is a test image" if in_test == 1 else f"{in_test} of them are test images"
        print(f"{said}: relabelling only test images that models dispute makes the models look better than they are")


def _by_features(features: Path, manifest: Path, duplicates: Path, folds: int, seed: int) -> Judged:
    classes, _ = feature_files.read_about(features)
    images = feature_files.read_all(features, SUBSETS)
    labels, groups = images.labels, groups_of(images.names, manifest, duplicates)

    enough = large_enough(labels, groups, folds)
    checked, indices = np.unique(labels[enough], return_inverse=True)
    for label in np.setdiff1d(labels, checked).tolist():
        print(
            f"label_issues: class {classes[label]!r} is not checked: fewer than {folds} different images "
            "(label_issues.folds)"
        )
    if len(checked) < 2:
        indices, enough = indices[:0], np.zeros_like(enough)
    vectors = Picked([images.vectors], np.flatnonzero(enough))
    probabilities = out_of_sample(vectors, indices, groups[enough], folds, seed) if enough.any() else np.zeros((0, 2))
    kept = [name for name, wanted in zip(images.names, enough, strict=True) if wanted]
    judged = np.flatnonzero(~np.isnan(probabilities[:, 0]))
    left_out = np.delete(indices, judged)
    for label in np.unique(left_out).tolist():
        count = counted(int((left_out == label).sum()), "image is", "images are")
        print(
            f"label_issues: of class {classes[checked[label]]!r} {count} not checked: groups of several classes leave "
            "no others to learn it from"
        )
    names = [kept[place] for place in judged]
    return Judged(names, indices[judged], [classes[label] for label in checked], probabilities[judged], "features")


def _by_predictions(evaluations: Path) -> Judged | None:
    """The mean of the models that are turned on; None without any."""
    tables = [predictions.read(file) for file in sorted(evaluations.glob("*/predictions.csv"))]
    tables = [table.set_index("path") for table in tables if not table.empty]
    if not tables:
        return None
    first = tables[0]
    classes = predictions.classes_of(first)
    columns = predictions.columns_of(classes)
    probabilities = np.mean([table.loc[first.index, columns].to_numpy(np.float64) for table in tables], axis=0)
    labels = np.array([classes.index(label) for label in first["label"]], np.int64)
    return Judged(first.index.tolist(), labels, classes, probabilities, "predictions")


def _named(judged: Judged, images: pd.DataFrame, threshold: float) -> pd.DataFrame:
    if not judged.names:
        return pd.DataFrame(columns=_COLUMNS)
    probabilities = calibrated(judged.labels, judged.probabilities)
    indices = suspicious(judged.labels, probabilities, threshold)
    own = judged.labels[indices]
    other = probabilities[indices].argmax(axis=1)
    return pd.DataFrame(
        {
            "path": [judged.names[index] for index in indices],
            "class": [judged.classes[label] for label in own],
            "subset": [images["subset"][judged.names[index]] for index in indices],
            "suggested": [judged.classes[label] for label in other],
            "p_class": probabilities[indices, own].round(4),
            "p_suggested": probabilities[indices, other].round(4),
        },
        columns=_COLUMNS,
    )


if __name__ == "__main__":
    entry.run(label_issues)
