"""What LiteRT has no operator for, written with those that it has."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from smallset.inference.runtime import Runtime
from stages.lib.bundle.litert import to_litert, without_colors


@pytest.mark.parametrize("shift", [(-2, 3), (0, -9)])
def test_images_that_are_moved_round_as_in_a_swin_transformer(shift, tmp_path):
    images = keras.Input((4, 5, 3))
    moved = keras.ops.roll(images, shift, axis=(1, 2))
    model = keras.Model(images, keras.layers.Flatten()(moved))
    pixels = np.random.default_rng(0).normal(size=(3, 4, 5, 3)).astype(np.float32)
    assert to_litert(model, tmp_path / "model.tflite") is None
    found = Runtime(tmp_path / "model.tflite").run(pixels)
    np.testing.assert_array_equal(found, np.roll(pixels, shift, axis=(1, 2)).reshape(3, -1))


class Moved(keras.layers.Layer):
    """Images that TensorFlow moves round in some way."""

    def __init__(self, way: Callable[[tf.Tensor], tf.Tensor]) -> None:
        super().__init__()
        self._way = way

    def call(self, images: tf.Tensor) -> tf.Tensor:
        return self._way(images)


def test_any_way_of_moving_round_is_converted_or_refused_for_its_operator(tmp_path):
    pixels, file = np.arange(120, dtype=np.float32).reshape(2, 4, 5, 3), tmp_path / "model.tflite"
    images = keras.Input((4, 5, 3))

    def converted(way: Callable[[tf.Tensor], tf.Tensor]) -> str | None:
        return to_litert(keras.Model(images, Moved(way)(images)), file)

    assert converted(lambda some: tf.roll(some, tf.constant(1), axis=-2, name="moved")) is None
    np.testing.assert_array_equal(Runtime(file).run(pixels), np.roll(pixels, 1, axis=2))
    # As many images as there will be.
    assert "Roll" in str(converted(lambda some: tf.roll(some, 1, axis=0)))
    assert not file.exists()


def test_what_a_converter_says_has_no_colours():
    assert without_colors(ValueError("\x1b[1mno such\noperator\x1b[0m")) == "no such operator"
