"""Batch normalisation of a backbone that KerasHub trains: which layers, with which statistics, and how fast."""

from collections import defaultdict
from functools import partial
from typing import Any

import numpy as np

_MEASURED = 16  # images at a time whose statistics are taken
_FOLDED = 2e-3  # no image has been measured where the means are 0 and the variances as near to 1 (less an epsilon)


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


def fuse_norms(backbone: Any) -> None:
    """Let batch normalisation that trains compute by TensorFlow's one operation for it: the same, sooner.

    Keras takes ten operations, which are half of the time of a training of MobileNetV2 on processors.

    Args:
        backbone: in float32, channels last; what its layers compute stays the same but for rounding.
    """
    for layer in norms_of(backbone):
        if layer.scale and layer.center and not layer.renorm:
            layer.call = partial(_fused, layer)


def _fused(layer: Any, inputs: Any, training: bool = False, **_: Any) -> Any:
    import tensorflow as tf

    trains = bool(training and layer.trainable)
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=layer.gamma,
        offset=layer.beta,
        mean=tf.zeros(0) if trains else layer.moving_mean,
        variance=tf.zeros(0) if trains else layer.moving_variance,
        epsilon=layer.epsilon,
        is_training=trains,
    )
    if trains:
        values = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
        # The operation divides by one value less, Keras by all.
        for moving, found in ((layer.moving_mean, mean), (layer.moving_variance, variance * (values - 1) / values)):
            moving.assign(moving * layer.momentum + tf.stop_gradient(found) * (1 - layer.momentum))
    return outputs


def _is_folded(layer: Any) -> bool:
    return not np.any(layer.moving_mean) and np.allclose(layer.moving_variance, 1, atol=_FOLDED)
