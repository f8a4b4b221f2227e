"""A Keras model as a file of LiteRT."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from safety.words import in_one_line
from smallset.inference.quiet import quiet

_COLOR = re.compile(r"\x1b\[[\d;]*m")


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

    def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> tf.Tensor:
        tensor = tf.convert_to_tensor(input)
        shifts, axes = (tf.get_static_value(tf.convert_to_tensor(one)) for one in (shift, axis))
        if shifts is None or axes is None or not all(tensor.shape[along] for along in np.ravel(axes)):
            # How far or along what is not known before there are images: the converter says that it cannot do that.
            return before(input, shift, axis, name)
        return _rolled(tensor, np.ravel(shifts).tolist(), np.ravel(axes).tolist())

    tf.roll = roll
    try:
        yield
    finally:
        tf.roll = before


def _rolled(tensor: tf.Tensor, shifts: Sequence[int], axes: Sequence[int]) -> tf.Tensor:
    """As `tf.roll`: along each axis the end is put before the beginning."""
    for by, along in zip(shifts, axes, strict=True):
        size = tensor.shape[along]
        end = by % size
        tensor = tf.concat(tf.split(tensor, [size - end, end], along)[::-1], along)
    return tensor


def refusal(error: Exception) -> str:
    """That a converter cannot do a model, and what it ended in, in one line."""
    return f"the converter cannot do this model: {without_colors(error)}"


def without_colors(error: Exception) -> str:
    """What an error says, in one line, without the colours that Keras gives it."""
    return in_one_line(_COLOR.sub("", str(error)) or type(error).__name__)
