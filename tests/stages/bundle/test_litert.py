"""What LiteRT has no operator for, written with those that it has."""

import keras
import numpy as np
import pytest

from smallset.inference.runtime import Runtime
from stages.lib.bundle.litert import to_litert


@pytest.mark.parametrize("shift", [(-2, 3), (0, -9)])
def test_images_that_are_moved_round_as_in_a_swin_transformer(shift, tmp_path):
    images = keras.Input((4, 5, 3))
    moved = keras.ops.roll(images, shift, axis=(1, 2))
    model = keras.Model(images, keras.layers.Flatten()(moved))
    pixels = np.random.default_rng(0).normal(size=(3, 4, 5, 3)).astype(np.float32)
    assert to_litert(model, tmp_path / "model.tflite") is None
    found = Runtime(tmp_path / "model.tflite").run(pixels)
    np.testing.assert_array_equal(found, np.roll(pixels, shift, axis=(1, 2)).reshape(3, -1))
