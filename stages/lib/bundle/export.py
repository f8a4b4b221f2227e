"""A Keras model as a file of LiteRT."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import tensorflow as tf

_LONGEST = 300  # letters of what a converter says


def to_litert(model: keras.Model, file: Path) -> str | None:
    """Convert a model with LiteRT's own operators alone, which every LiteRT has.

    Args:
        model: computes in float32, takes images (batch, height, width, channels).
        file: to write, with the suffix `.tflite`; the same model gives the same bytes in every new process.

    Returns:
        Why the converter cannot do this model, in one line; None where it can.
    """
    images = keras.InputSpec(shape=(None, *model.input_shape[1:]), dtype="float32", name="images")
    operators = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    try:
        with _quiet():
            model.export(str(file), format="litert", verbose=False, input_signature=[images], target_spec=operators)
    except Exception as error:  # The converter lets through whatever an operator that it does not know ends in.
        file.unlink(missing_ok=True)
        said = " ".join(str(error).split())[:_LONGEST] or type(error).__name__
        return f"the converter cannot do this model: {said}"
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the converter's notes, which are written past Python; what goes wrong is still raised."""
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)
