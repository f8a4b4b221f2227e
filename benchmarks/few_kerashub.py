"""KerasHub's own way to fine-tune, as a method of `benchmarks.few_images`."""

import math
from collections import defaultdict
from functools import partial
from typing import Any, Literal

import numpy as np

from benchmarks.few_features import Cell, scratch_folder
from benchmarks.few_tasks import Task

_BATCH = 16
_EPOCHS, _STEPS = 20, 300  # at least, both
_MEASURED = 16  # images at a time whose statistics are taken
_FOLDED = 2e-3  # no image has been measured where the means are 0 and the variances as near to 1 (less an epsilon)


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


def norms_of(backbone: Any) -> list[Any]:
    """The layers of batch normalisation of a backbone."""
    import keras

    return [one for one in backbone._flatten_layers() if isinstance(one, keras.layers.BatchNormalization)]


def measure_folded_norms(backbone: Any, images: np.ndarray) -> None:
    """Give batch normalisation that was folded into the kernels the statistics of images; outputs stay the same.

    A preset that was converted from folded weights has means of 0 and variances of 1. As they are, they do no harm in
    inference, but a training that normalises each batch by its own statistics starts from another, useless network.

    Args:
        backbone: whose layers get statistics where they have none.
        images: float32 (images, height, width, 3), as the backbone takes them.
    """
    import keras

    def measured(layer: Any, call: Any, inputs: Any, **_: Any) -> Any:
        moments = keras.ops.moments(inputs, axes=[0, 1, 2])
        mean, variance = (keras.ops.convert_to_numpy(one).astype(np.float64) for one in moments)
        found[layer].append((len(inputs), mean, variance))
        return call(inputs, training=False)

    found: dict[Any, list[tuple[int, np.ndarray, np.ndarray]]] = defaultdict(list)
    folded = [layer for layer in norms_of(backbone) if _is_folded(layer)]
    for layer in folded:
        layer.call = partial(measured, layer, layer.call)
    # In batches: a functional model holds the outputs of all its layers until it returns.
    for start in range(0, len(images), _MEASURED):
        backbone(images[start : start + _MEASURED], training=False)
    for layer in folded:
        del layer.call
        counts, means, variances = (np.array(column) for column in zip(*found[layer], strict=True))
        mean = np.average(means, axis=0, weights=counts)
        variance = np.average(variances + (means - mean) ** 2, axis=0, weights=counts)
        gamma, beta, old_mean, old_variance = (keras.ops.convert_to_numpy(one) for one in layer.get_weights())
        slope = gamma / np.sqrt(old_variance + layer.epsilon)
        layer.set_weights([slope * np.sqrt(variance + layer.epsilon), beta + slope * (mean - old_mean), mean, variance])


def _is_folded(layer: Any) -> bool:
    return not np.any(layer.moving_mean) and np.allclose(layer.moving_variance, 1, atol=_FOLDED)


def _decoded(task: Task, rows: np.ndarray) -> np.ndarray:
    from stages.lib.images.decode import stream
    from stages.lib.images.resizing import asked

    paths = [task.paths[row] for row in rows]
    return np.concatenate(list(stream(paths, task.common.pixels, "rgb", 64, resizing=asked(task.common, task.preset))))
