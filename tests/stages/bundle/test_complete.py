"""A bundle gives what its Keras model gives, is the same bytes each time, and says so where it cannot be made."""

from pathlib import Path

import keras
import numpy as np
import pytest

import smallset
from safety.checksums import checksum
from stages.lib.bundle import litert
from stages.lib.images.resizing import STRETCH
from stages.lib.inference.forward import probabilities
from stages.lib.networks import build, saved_model
from tests.stages.bundle_inputs import run, write_inputs


def transfer(preset: Path, precision: str, classes: int) -> keras.Model:
    return build.transfer_model(preset, build.head_layers(8, "relu", 0.25, classes), 32, precision)


def test_a_bundle_gives_what_keras_gives_in_float32(preset, two_classes, common, tmp_path) -> None:
    """Also of a model that computes in another precision, whose own probabilities differ by its rounding."""
    model = build.transfer_model(preset, build.head_layers(8, "relu", 0.25, 2), 32, "mixed_bfloat16")
    folder = write_inputs(tmp_path, model, ["cat", "dog"], precision="mixed_bfloat16")
    classifier = smallset.load(run(folder, common))
    files = sorted(two_classes[0].rglob("test/*/*.png"))
    saved, classes = saved_model.load(classifier.directory / "model.keras")
    found = np.array([list(one.probabilities.values()) for one in classifier.predict(files)])
    np.testing.assert_allclose(found, probabilities(saved, files, 8, resizing=STRETCH), atol=2e-2)
    exact = build.with_precision(saved, "float32")
    np.testing.assert_allclose(found, probabilities(exact, files, 8, resizing=STRETCH), atol=1e-5)
    assert (list(classifier.classes), classifier.description.precision) == (classes, "mixed_bfloat16")
    assert classifier.description.data == checksum(tmp_path / "manifest.csv")


def test_a_bundle_is_the_same_each_time_and_has_a_card(common, tmp_path) -> None:
    inputs = write_inputs(tmp_path, build.convnet(32, "grey", [4], True, 0.0, 3), ["a", "b|c", "[d](e)"])
    before = {file: file.read_bytes() for file in run(inputs, common).rglob("*") if file.is_file()}
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])  # names of layers count on
    assert {file: file.read_bytes() for file in run(inputs, common).rglob("*") if file.is_file()} == before
    card = (tmp_path / "models" / "classifier" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlibrary_name: smallset\n")
    assert "| accuracy | 0.900 | 0.900 | 0.900 |" in card
    assert "| b\\|c | 6 | 0.900 | 0.800 | 1.000 |" in card
    assert "2 train, 1 test images of 3 classes" in card
    assert "[d](e)" not in card
    assert "`pip install .` there" in card
    assert "of two classes that of the second alone. For an app" in card


def test_a_model_that_cannot_be_converted_says_so(common, tmp_path, capsys) -> None:
    images = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.ops.erfinv(images / 300))
    model = keras.Model(images, keras.layers.Dense(3, activation="softmax")(x))
    output = run(write_inputs(tmp_path, model, ["a", "b", "c"]), common)
    [line] = capsys.readouterr().out.splitlines()
    assert "scratch, without model.tflite: the converter cannot do this model: " in line
    assert not (output / "model.tflite").exists()
    assert "`model.keras` alone" in (output / "README.md").read_text()
    with pytest.raises(smallset.UserError, match=r"has no model\.tflite, only Keras can run it: the converter cannot"):
        smallset.load(output).predict(output / "golden" / "plain.jpg")


def test_a_converted_model_that_gives_other_probabilities_is_left_out(common, tmp_path, monkeypatch) -> None:
    other, real = build.convnet(32, "rgb", [4], True, 0.0, 2), litert.to_litert
    monkeypatch.setattr(litert, "to_litert", lambda model, file: real(other, file))
    output = run(write_inputs(tmp_path, build.convnet(32, "rgb", [4], True, 0.0, 2), ["a", "b"]), common)
    assert not (output / "model.tflite").exists()
    assert (
        "converted, it gives other probabilities: golden/plain.jpg: expected"
        in smallset.load(output).description.reason
    )
