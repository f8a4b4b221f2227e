"""KerasHub's own way to fine-tune, as a method of `benchmarks.few_images`."""

import math
from typing import Literal

import numpy as np

from benchmarks.few_features import Cell, scratch_folder
from benchmarks.few_norms import fuse_norms, measure_folded_norms, norms_of
from benchmarks.few_tasks import Task

_BATCH = 16
_EPOCHS, _STEPS = 20, 300  # at least, both


def kerashub(cell: Cell, norms: Literal["trained", "frozen"] = "trained") -> np.ndarray:
    """KerasHub's `ImageClassifier`, compiled as it comes, all of it training; the epoch with the least loss is kept.

    Args:
        norms: whether batch normalisation trains with the rest, or keeps its statistics and weights.

    Returns:
        Probabilities of the test images, float64 (images, classes).
    """
    import keras
    import keras_hub
    import tensorflow as tf

    task, split = cell.task, cell.split
    keras.utils.set_random_seed(cell.seed)
    model = keras_hub.models.ImageClassifier.from_preset(str(task.preset), num_classes=len(task.classes))
    model.preprocessor.image_size = (task.common.pixels, task.common.pixels)
    train, validation, test = (_decoded(task, rows) for rows in (split.train, split.validation, split.test))
    if norms == "trained":
        measure_folded_norms(model.backbone, np.asarray(model.preprocessor(train)))
        fuse_norms(model.backbone)
    else:
        for layer in norms_of(model.backbone):
            layer.trainable = False
        model.compile()  # as it comes; what trains is read when it is compiled
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
