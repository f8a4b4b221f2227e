"""A saved model knows its classes and its input, and is the same bytes for the same model."""

import keras
import numpy as np
import pytest

from stages.lib.core.errors import UserError
from stages.lib.networks import saved_model
from stages.lib.networks.build import convnet


def test_a_model_comes_back_with_its_classes_and_input(tmp_path):
    model = convnet(32, "grey", [4], True, 0.0, 3)
    saved_model.save(model, tmp_path / "model.keras", ["a", "b", "ç"])
    loaded, classes = saved_model.load(tmp_path / "model.keras")
    assert classes == ["a", "b", "ç"]
    assert saved_model.input_of(loaded) == (32, "grey")
    images = np.random.default_rng(0).uniform(0, 255, (5, 32, 32, 1)).astype(np.float32)
    np.testing.assert_array_equal(loaded(images), model(images))


def test_saving_twice_gives_the_same_bytes(tmp_path):
    model = convnet(32, "rgb", [4], True, 0.0, 2)
    for name in ("one", "two"):
        saved_model.save(model, tmp_path / f"{name}.keras", ["a", "b"])
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "two.keras").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_plain_keras_reads_it(tmp_path):
    saved_model.save(convnet(32, "rgb", [4], True, 0.0, 2), tmp_path / "model.keras", ["a", "b"])
    assert keras.saving.load_model(tmp_path / "model.keras").output_shape == (None, 1)


def test_what_is_no_model_of_ours_is_one_clear_error(tmp_path):
    with pytest.raises(UserError, match="no saved model"):
        saved_model.load(tmp_path / "model.keras")
    convnet(32, "rgb", [4], True, 0.0, 2).save(tmp_path / "plain.keras")
    with pytest.raises(UserError, match="names no classes"):
        saved_model.load(tmp_path / "plain.keras")
