"""Pictures that are likely mislabelled: models that have not seen them are sure of another class."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
import pandas as pd

from stages.lib.arrays import feature_files
from stages.lib.arrays.rows import Picked
from stages.lib.core import entry
from stages.lib.core.outputs import is_disabled, whole_file, write_csv, write_json
from stages.lib.core.params import CommonParams
from stages.lib.core.sections import LabelsParams
from stages.lib.images.manifest import SUBSETS, read_manifest
from stages.lib.inference import predictions
from stages.lib.label_issues import calibrated, large_enough, out_of_sample, suspicious
from stages.lib.splitting.keys import joined, numbered

_COLUMNS = ["path", "class", "subset", "suggested", "p_class", "p_suggested"]
_KEPT = "kept in "


@dataclass(frozen=True)
class Judged:
    """Pictures with probabilities of models that have not seen them.

    names: relative to the dataset. labels: int64 (pictures,), indexes into `classes`.
    probabilities: float64 (pictures, classes). by: what they come from.
    """

    names: list[str]
    labels: np.ndarray
    classes: list[str]
    probabilities: np.ndarray
    by: Literal["features", "predictions", "nothing"]


def labels(
    manifest: Path,
    duplicates: Path,
    features: Path,
    evaluations: Path,
    labels: Path,
    counts: Path,
    common: CommonParams,
    params: LabelsParams,
) -> None:
    """Write the likely mislabelled pictures, the most suspicious first, and how many of how many they are.

    All pictures are judged by their features; where features are turned off, the test pictures by the predictions.

    labels: path (relative to the dataset), class, subset, suggested, p_class, p_suggested (calibrated). counts:
    checked, suspicious, by ("features", "predictions" or "nothing").
    """
    judged = Judged([], np.zeros(0, np.int64), [], np.zeros((0, 0)), "nothing")
    if not params.enabled:
        print("labels: turned off in params.yaml")
    elif not is_disabled(features):
        judged = _by_features(features, duplicates, manifest, params.folds, common.seed)
    else:
        judged = _by_predictions(evaluations) or judged
    table = _named(judged, manifest, params.threshold)
    with whole_file(labels) as partial:
        write_csv(table, partial)
    found = {"checked": len(judged.names), "suspicious": len(table), "by": judged.by}
    write_json(found, counts)
    print(f"{found['suspicious']} of {found['checked']} pictures are likely mislabelled, by their {found['by']}")
    if in_test := int((table["subset"] == "test").sum()):
        said = "1 of them is a test picture" if in_test == 1 else f"{in_test} of them are test pictures"
        print(f"{said}: relabelling only test pictures that models dispute makes the models look better than they are")


def _by_features(features: Path, duplicates: Path, manifest: Path, folds: int, seed: int) -> Judged:
    classes, _ = feature_files.read_about(features)
    sets = [feature_files.read(features, subset) for subset in SUBSETS]
    names = [name for found in sets for name in found.names]
    labels = np.concatenate([found.labels for found in sets])
    groups = _groups(names, duplicates, manifest)

    enough = large_enough(labels, groups, folds)
    checked, places = np.unique(labels[enough], return_inverse=True)
    for label in np.setdiff1d(labels, checked).tolist():
        print(f"labels: class {classes[label]!r} is not checked: fewer than {folds} different pictures (labels.folds)")
    if len(checked) < 2:
        places, enough = places[:0], np.zeros_like(enough)
    vectors = Picked([found.vectors for found in sets], np.flatnonzero(enough))
    chances = out_of_sample(vectors, places, groups[enough], folds, seed) if enough.any() else np.zeros((0, 2))
    kept = [name for name, wanted in zip(names, enough, strict=True) if wanted]
    return Judged(kept, places, [classes[label] for label in checked], chances, "features")


def _by_predictions(evaluations: Path) -> Judged | None:
    """The mean of the models that are turned on; None without any."""
    tables = [predictions.read(file) for file in sorted(evaluations.glob("*/predictions.csv"))]
    tables = [table.set_index("path") for table in tables if not table.empty]
    if not tables:
        return None
    first = tables[0]
    classes = predictions.classes_of(first)
    columns = predictions.columns_of(classes)
    chances = np.mean([table.loc[first.index, columns].to_numpy(np.float64) for table in tables], axis=0)
    labels = np.array([classes.index(label) for label in first["label"]], np.int64)
    return Judged(first.index.tolist(), labels, classes, chances, "predictions")


def _groups(names: list[str], duplicates: Path, manifest: Path) -> np.ndarray:
    """int64 (pictures,): equal for copies and within a group, by the tables that `split` wrote."""
    table = pd.read_csv(duplicates, dtype={"path": str, "class": str, "action": str}, na_filter=False)
    kept = table[table["action"].str.startswith(_KEPT)]
    files = kept["path"].map(lambda path: PurePosixPath(path).name)
    # Files of one name, which `split` renames, are not found again: at worst a copy judges its copy.
    paths = kept["action"].str.removeprefix(_KEPT) + "/" + kept["class"] + "/" + files
    known = dict(zip(paths, kept["group"], strict=True))
    copies = np.array([known.get(name, -1 - place) for place, name in enumerate(names)], np.int64)
    groups = read_manifest(manifest).set_index("path")["group"]
    return joined(copies, numbered(groups[names].tolist()))


def _named(judged: Judged, manifest: Path, threshold: float) -> pd.DataFrame:
    if not judged.names:
        return pd.DataFrame(columns=_COLUMNS)
    probabilities = calibrated(judged.labels, judged.probabilities)
    places = suspicious(judged.labels, probabilities, threshold)
    subsets = read_manifest(manifest).set_index("path")["subset"]
    own = judged.labels[places]
    other = probabilities[places].argmax(axis=1)
    return pd.DataFrame(
        {
            "path": [judged.names[place] for place in places],
            "class": [judged.classes[label] for label in own],
            "subset": [subsets[judged.names[place]] for place in places],
            "suggested": [judged.classes[label] for label in other],
            "p_class": probabilities[places, own].round(4),
            "p_suggested": probabilities[places, other].round(4),
        },
        columns=_COLUMNS,
    )


if __name__ == "__main__":
    entry.run(labels)
