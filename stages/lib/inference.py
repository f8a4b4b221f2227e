"""A model run over batches of pictures as one compiled function."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from stages.lib.pictures import stream
from stages.lib.saved_model import input_of


def forward(model: keras.Model, batches: Iterable[np.ndarray], batch_size: int) -> Iterator[np.ndarray]:
    """Run a model without training it.

    Args:
        batches: uint8 (at most `batch_size`, height, width, channels) each, in [0, 255].

    Yields:
        float32, the model's output for each batch.
    """

    @tf.function(input_signature=[tf.TensorSpec((batch_size, *model.input_shape[1:]), tf.uint8)])
    def compiled(pictures: tf.Tensor) -> tf.Tensor:
        return model(tf.cast(pictures, tf.float32), training=False)

    for batch in batches:
        # One shape for all batches, so that the pass is compiled once.
        filled = np.concatenate([batch, np.zeros((batch_size - len(batch), *batch.shape[1:]), batch.dtype)])
        yield compiled(filled).numpy()[: len(batch)]


def probabilities(
    model: keras.Model, paths: Sequence[Path], batch_size: int, broken: dict[Path, str] | None = None
) -> np.ndarray:
    """Probability of each class for each picture, read and resized as in training.

    Args:
        broken: takes the files that cannot be decoded, and why; they are left out. None: one is an error.

    Returns:
        float64 (pictures, classes); a model with one sigmoid unit gives two columns.

    Raises:
        BrokenPicture: one of the files cannot be decoded; its name comes first.
    """
    image_size, color = input_of(model)
    batches = stream(paths, image_size, color, batch_size, broken)
    none = np.empty((0, model.output_shape[-1]), np.float32)
    outputs = np.concatenate([none, *forward(model, batches, batch_size)]).astype(np.float64)
    return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
