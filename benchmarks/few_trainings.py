"""The methods of `benchmarks.few_images` that train on the images themselves, by the stages."""

import importlib
import inspect
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.few_features import Cell, scratch_folder
from stages.lib.core.params import Params

STAGES = ("feature_extraction", "feature_extraction_augmented", "fine_tuned")


def trained_by_stages(cell: Cell, calibrated: bool = False) -> np.ndarray:
    """Run `fine_tuned` and the stage before it, as the pipeline does, and let the saved model predict.

    Args:
        cell: what is measured.
        calibrated: with the temperature that a bundle gets, by the validation images; it changes no class.

    Returns:
        Probabilities of the test images, float64 (images, classes).
    """
    from stages.lib.deciding.choosing import temperature_of, tempered
    from stages.lib.inference.forward import probabilities
    from stages.lib.networks import saved_model

    before = getattr(cell.sections["fine_tuned"], "start", "feature_extraction_augmented")
    with scratch_folder() as folder:
        paths = _inputs(cell, folder) | {"start": folder / before}
        paths |= {name: folder / name for name in STAGES}
        for name in (before, "fine_tuned"):
            stage = getattr(importlib.import_module(f"stages.{name}"), name)
            given = (
                cell.sections | paths | {"common": cell.common, "params": cell.sections[name], "model": folder / name}
            )
            stage(**{argument: given[argument] for argument in inspect.signature(stage).parameters})
        file = folder / "fine_tuned" / "model.keras"
        model, _ = saved_model.load(file)

        def predicted(rows: np.ndarray) -> np.ndarray:
            paths = [cell.task.paths[row] for row in rows]
            return probabilities(model, paths, 64, resizing=saved_model.resizing_of(file)).astype(np.float64)

        validation, found = cell.split.validation, predicted(cell.split.test)
        if not calibrated:
            return found
        temperature = temperature_of(predicted(validation), cell.task.labels[validation], cell.common.seed)
        return tempered(found, temperature)


def _inputs(cell: Cell, folder: Path) -> dict[str, Path | Params]:
    """What the stages before a training leave: a manifest, and the features of its images."""
    from stages.lib.arrays import feature_files
    from stages.lib.images.manifest import SUBSETS, read_subset
    from stages.lib.images.resizing import asked

    task = cell.task
    rows = [
        {"path": task.names[row], "class": task.classes[task.labels[row]], "subset": subset, "sha256": task.names[row]}
        for subset, numbers in vars(cell.split).items()
        for row in numbers.tolist()
    ]
    manifest, features = folder / "manifest.csv", folder / "features"
    pd.DataFrame(rows).assign(group="").to_csv(manifest, index=False)
    features.mkdir()
    for name in SUBSETS:
        vectors, mirrored = (one[getattr(cell.split, name)] for one in cell.features)
        subset = read_subset(task.folder, manifest, name)
        feature_files.write(features, name, subset, vectors.shape[1], [vectors], [mirrored])
    feature_files.write_about(features, task.classes, "float32", asked(cell.common, task.preset))
    duplicates = folder / "duplicates.csv"
    pd.DataFrame(columns=["group", "path", "sha256", "class", "kind", "distance", "action"]).to_csv(
        duplicates, index=False
    )
    return {
        "dataset": task.folder,
        "manifest": manifest,
        "duplicates": duplicates,
        "features": features,
        "preset": task.preset,
    }
