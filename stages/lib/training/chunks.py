"""Training on a batch a few images at a time: the same step, in the memory that these few take.

What a layer computed is kept until its gradient is there, so the memory of a step grows with its images. The gradient
of the mean loss is the mean of the gradients of its parts as long as no image has to do with the others of its batch;
batch normalisation, the one layer that would tell them apart, never trains here.
"""

from typing import Any

import keras
import tensorflow as tf

from stages.lib.core.params import Precision

# 12 images of 180 x 180, and 24 of half the bytes: with fewer, each takes longer; with more, hardly less.
_PIXELS: dict[Precision, int] = {"float32": 400_000, "mixed_bfloat16": 800_000}


def images_at_once(image_size: int, precision: Precision) -> int | None:
    """How many images of so many pixels a side train at once.

    On a GPU all of a batch do: it has a memory of its own, and is the faster the more there are at once.

    Args:
        image_size: height and width in pixels.
        precision: of the computation.

    Returns:
        Images; None where all of a batch train at once.
    """
    if tf.config.list_physical_devices("GPU"):
        return None
    return max(1, _PIXELS[precision] // image_size**2)


def in_chunks(model: keras.Model, batch_size: int, at_once: int | None) -> keras.Model:
    """A view of a model, built and not compiled, that trains on `at_once` images of each batch at a time.

    The model itself, where a batch is no larger than that.

    Args:
        model: built, not compiled; no batch normalisation in it trains.
        batch_size: images per training step.
        at_once: as `images_at_once` gives it.

    Returns:
        A view on the same weights; the model itself where a batch is no larger than `at_once`.
    """
    if at_once is None or batch_size <= at_once:
        return model
    view = _InChunks(model.inputs, model.outputs)
    view.at_once, view.parts = at_once, -(-batch_size // at_once)
    return view


def parts(model: keras.Model) -> int:
    """How many times, at most, the model is computed in a step of its training."""
    return model.parts if isinstance(model, _InChunks) else 1


class _InChunks(keras.Model):
    """A functional model with a step of its own."""

    at_once: int
    parts: int

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step of the optimizer on a batch: inputs, labels and, if they differ, weights of the images."""
        inputs, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        count, trained = tf.shape(labels)[0], [one.value for one in self.trainable_weights]

        def add(start: tf.Tensor, loss: tf.Tensor, outputs: tf.TensorArray, gradients: list[tf.Tensor]) -> Any:
            chunk = slice(start, start + self.at_once)
            some, target = inputs[chunk], labels[chunk]
            with tf.GradientTape() as tape:
                output = self(some, training=True)
                mean = self.compute_loss(some, target, output, None if weights is None else weights[chunk])
                part = mean * tf.cast(tf.shape(target)[0], mean.dtype) / tf.cast(count, mean.dtype)
            found = tape.gradient(part, trained, unconnected_gradients="zero")
            gradients = [before + one for before, one in zip(gradients, found, strict=True)]
            return start + self.at_once, loss + part, outputs.write(start // self.at_once, output), gradients

        shape, dtype = self.outputs[0].shape, self.outputs[0].dtype
        no_outputs = tf.TensorArray(dtype, 0, dynamic_size=True, infer_shape=False, element_shape=shape)
        start = (0, 0.0, no_outputs, [tf.zeros_like(one) for one in trained])
        # One after the other: side by side, they would take the memory of all.
        end = tf.while_loop(lambda first, *_: first < count, add, start, parallel_iterations=1)
        loss, outputs, gradients = end[1:]
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        next(one for one in self.metrics if one.name == "loss").update_state(loss, sample_weight=count)
        return self.compute_metrics(inputs, labels, outputs.concat(), weights)
