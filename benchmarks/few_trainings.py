"""The methods of `benchmarks.few_images` that train on the images themselves."""

import importlib
import inspect
import math
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.few_features import Cell, scratch_folder
from benchmarks.few_tasks import Task
from stages.lib.core.params import Params

STAGES = ("feature_extraction", "feature_extraction_augmented", "fine_tuned")
_BATCH = 16
_EPOCHS, _STEPS = 20, 300  # at least, both


def trained_by_stages(cell: Cell) -> np.ndarray:
    """Run `fine_tuned` and the stage before it, as the pipeline does, and let the saved model predict.

    Returns:
        Probabilities of the test images, float64 (images, classes).
    """
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
        tested = [cell.task.paths[row] for row in cell.split.test]
        return probabilities(model, tested, 64, resizing=saved_model.resizing_of(file))


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
    pd.DataFrame(columns=["group", "path", "class", "kind", "distance", "action"]).to_csv(duplicates, index=False)
    return {
        "dataset": task.folder,
        "manifest": manifest,
        "duplicates": duplicates,
        "features": features,
        "preset": task.preset,
    }


def kerashub(cell: Cell) -> np.ndarray:
    """KerasHub's `ImageClassifier`, compiled as it comes, all of it training; the epoch with the least loss is kept."""
    import keras
    import keras_hub
    import tensorflow as tf

    task, split = cell.task, cell.split
    keras.utils.set_random_seed(cell.seed)
    model = keras_hub.models.ImageClassifier.from_preset(str(task.preset), num_classes=len(task.classes))
    model.preprocessor.image_size = (task.common.pixels, task.common.pixels)
    train, validation, test = (_decoded(task, rows) for rows in (split.train, split.validation, split.test))
    # KerasHub does not shuffle arrays, though `fit` is asked to: all images of one class would come first.
    shuffled = tf.data.Dataset.from_tensor_slices((train, task.labels[split.train])).shuffle(len(train), cell.seed)
    with scratch_folder() as folder:
        best = keras.callbacks.ModelCheckpoint(
            folder / "best.weights.h5", monitor="val_loss", save_best_only=True, save_weights_only=True
        )
        model.fit(
            shuffled.batch(_BATCH),
            epochs=max(_EPOCHS, math.ceil(_STEPS / math.ceil(len(train) / _BATCH))),
            validation_data=(validation, task.labels[split.validation]),
            callbacks=[best],
            verbose=0,
        )
        model.load_weights(folder / "best.weights.h5")
    return keras.ops.convert_to_numpy(keras.ops.softmax(model.predict(test, batch_size=64, verbose=0))).astype(
        np.float64
    )


def _decoded(task: Task, rows: np.ndarray) -> np.ndarray:
    from stages.lib.images.decode import stream
    from stages.lib.images.resizing import asked

    paths = [task.paths[row] for row in rows]
    return np.concatenate(list(stream(paths, task.common.pixels, "rgb", 64, resizing=asked(task.common, task.preset))))
