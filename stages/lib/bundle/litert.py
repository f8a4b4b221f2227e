"""A Keras model as a file of LiteRT."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from smallset.inference.quiet import quiet

_LONGEST = 300  # letters of what a converter says


def to_litert(model: keras.Model, file: Path, **smaller: Any) -> str | None:
    """Convert a model with LiteRT's own operators alone, which every LiteRT has.

    Args:
        model: computes in float32, takes images (batch, height, width, channels).
        file: to write, with the suffix `.tflite`; the same model gives the same bytes in every new process.
        smaller: attributes of TensorFlow's `TFLiteConverter` beside its operators, as `optimizations`.

    Returns:
        Why the converter cannot do this model, in one line; None where it can.
    """
    images = keras.InputSpec(shape=(None, *model.input_shape[1:]), dtype="float32", name="images")
    operators = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    try:
        with quiet(), _rolling_by_slices():
            model.export(
                str(file), format="litert", verbose=False, input_signature=[images], target_spec=operators, **smaller
            )
    except Exception as error:  # The converter lets through whatever an operator that it does not know ends in.
        file.unlink(missing_ok=True)
        return refusal(error)
    return None


@contextmanager
def _rolling_by_slices() -> Iterator[None]:
    """LiteRT has no operator `Roll`, by which Swin transformers move their windows."""
    before = tf.roll
    tf.roll = _rolled
    try:
        yield
    finally:
        tf.roll = before


def _rolled(input: tf.Tensor, shift: int | Sequence[int], axis: int | Sequence[int]) -> tf.Tensor:
    """As `tf.roll`: along each axis the end is put before the beginning."""
    for by, along in zip(np.ravel(shift).tolist(), np.ravel(axis).tolist(), strict=True):
        size = input.shape[along]
        end = by % size
        input = tf.concat(tf.split(input, [size - end, end], along)[::-1], along)
    return input


def refusal(error: Exception) -> str:
    """That a converter cannot do a model, and what it ended in, in one line."""
    return f"the converter cannot do this model: {in_one_line(error)}"


def in_one_line(error: Exception) -> str:
    """What an error says, in one line that is not too long."""
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__
