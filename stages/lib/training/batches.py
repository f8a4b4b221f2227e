"""Batches of images for training and validation, as a pure function of seed, pass over the images and position in it.

Because nothing depends on what was drawn before, a training that is resumed sees what an uninterrupted one would have.
"""

import os

import numpy as np
import tensorflow as tf

from stages.lib.arrays.rows import Array
from stages.lib.core.params import AugmentationParams
from stages.lib.training import devices
from stages.lib.training.augmentation import augment

_PARALLEL = os.cpu_count() or 1


def steps(count: int, batch_size: int) -> int:
    """Number of batches that `count` images fill; the last may be smaller.

    Args:
        count: training images.
        batch_size: images per batch.

    Returns:
        At least 1 where there is an image for each device.
    """
    return -(-devices.trained(count) // batch_size)


def passes(count: int, batch_size: int, epochs: int, min_steps: int | None) -> int:
    """How many times an epoch goes over the images, so that there are steps enough for few images too.

    Args:
        count: training images.
        batch_size: images per batch.
        epochs: of the whole training.
        min_steps: steps that the epochs have at least, together; None asks for no more than one pass an epoch.

    Returns:
        At least 1; all epochs have the same number.
    """
    return 1 if min_steps is None else -(-min_steps // (epochs * steps(count, batch_size)))


def training_batches(
    inputs: Array,
    labels: np.ndarray,
    batch_size: int,
    seed: int,
    wanted: range,
    augmentation: AugmentationParams | None = None,
) -> tf.data.Dataset:
    """All batches of the given passes over the images, one pass after the other, each in a new order.

    Args:
        inputs: images uint8 (count, height, width, channels) in [0, 255], or vectors float32 (count, channels).
        labels: int64 (count,).
        batch_size: images per batch; the last of a pass may be smaller.
        seed: decides order and variants.
        wanted: passes that are wanted, counted from 0; an epoch is one of them, or several (`passes`).
        augmentation: how images vary; None shows them as they are.

    Returns:
        Pairs of inputs float32 (batch, ...) in the range of `inputs`, and labels int64 (batch,).
    """
    count, per_pass = len(inputs), steps(len(inputs), batch_size)
    taken = devices.trained(count)

    def order_of(one: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(tf.range(count), seed=tf.stack([seed, one]))
        batches = tf.data.Dataset.from_tensor_slices(order[:taken]).batch(batch_size)
        return batches.enumerate(start=tf.cast(one, tf.int64) * per_pass)

    def load(step: tf.Tensor, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch, target = _gather(inputs, labels, indices)
        if augmentation is not None:
            batch = augment(batch, augmentation, tf.stack([seed, tf.cast(step, tf.int32)]))
        return batch, target

    every = tf.data.Dataset.from_tensor_slices(np.asarray(wanted, np.int32)).flat_map(order_of)
    return _plain(every.map(load, num_parallel_calls=_PARALLEL).prefetch(4))


def validation_batches(
    inputs: Array, labels: np.ndarray, batch_size: int, weights: np.ndarray | None = None
) -> tf.data.Dataset:
    """Batches in the given order, never varied; same shapes and types as `training_batches`.

    Args:
        inputs: images uint8 (count, height, width, channels) in [0, 255], or vectors float32 (count, channels).
        labels: int64 (count,).
        batch_size: images per batch; the last may be smaller.
        weights: float32 (count,), how much each image counts; they are the third element of each batch. None gives
            batches of two elements.

    Returns:
        Pairs of inputs float32 (batch, ...) and labels int64 (batch,), or triples with weights float32 (batch,).
    """
    indices = tf.data.Dataset.range(len(inputs), output_type=tf.int32).batch(batch_size)

    def load(batch: tf.Tensor) -> tuple[tf.Tensor, ...]:
        found = _gather(inputs, labels, batch)
        return found if weights is None else (*found, tf.gather(weights, batch))

    return _plain(indices.map(load, num_parallel_calls=2).prefetch(2))


def _plain(batches: tf.data.Dataset) -> tf.data.Dataset:
    # The thread in which TensorFlow tunes a pipeline may hold up the end of a training for most of a minute.
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.with_options(options)


def _gather(inputs: Array, labels: np.ndarray, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    # A Python function rather than tf.gather: the array may lie in a file, and is never copied into the graph.
    # Without a state, so that batches are made side by side also where TensorFlow is to be deterministic.
    batch, target = tf.numpy_function(
        lambda rows: (inputs[rows], labels[rows]), [indices], [tf.as_dtype(inputs.dtype), tf.int64], stateful=False
    )
    return tf.cast(tf.ensure_shape(batch, (None, *inputs.shape[1:])), tf.float32), tf.ensure_shape(target, (None,))
