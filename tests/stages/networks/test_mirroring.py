"""Mirror averaging inside saved models: the same answer for whoever loads them, without code of ours."""

from pathlib import Path

import keras
import keras_hub
import numpy as np
import pytest

from stages.lib.evaluation.heat import grad_cam, heat_of
from stages.lib.inference.forward import compiled
from stages.lib.networks import build, pooling_file, saved_model
from stages.lib.networks.mirroring import looks_at_both, mirrored, plain
from stages.lib.pretrained import presets
from tests.stages.token_families import vit

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.uint8)
MIRROR = np.ascontiguousarray(IMAGES[:, :, ::-1])


def transfer(preset: Path, precision: str = "float32") -> keras.Model:
    return build.transfer_model(preset, build.head_layers(8, "relu", 0.25, 3), 32, precision)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_saved_model_decides_by_the_mean_of_the_features_of_both(preset: Path, tmp_path: Path, precision) -> None:
    model = transfer(preset, precision)
    saved_model.save(mirrored(model), tmp_path / "model.keras", ["a", "b", "c"])
    loaded, _ = saved_model.load(tmp_path / "model.keras")
    features = build.feature_extractor(preset, 32, precision)
    mean = (features(IMAGES.astype(np.float32)).numpy() + features(MIRROR.astype(np.float32)).numpy()) / 2
    expected = build.head_of(model)(mean).numpy()
    for images in (IMAGES, MIRROR):
        found = loaded(images.astype(np.float32)).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5 if precision == "float32" else 1e-2)
        np.testing.assert_allclose(
            compiled(loaded, 4)(images[:4]), expected[:4], atol=1e-5 if precision == "float32" else 2e-2
        )
    assert loaded.get_layer("mirror_mean").output.dtype == "float32"


def test_what_is_loaded_without_this_project_gives_the_same(preset: Path, tmp_path: Path) -> None:
    saved_model.save(mirrored(transfer(preset)), tmp_path / "model.keras", ["a", "b", "c"])
    ours, _ = saved_model.load(tmp_path / "model.keras")
    plainly = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(*(model.predict(IMAGES.astype(np.float32), verbose=0) for model in (ours, plainly)))


def test_it_is_taken_out_again_to_train_on(preset: Path, tmp_path: Path) -> None:
    model = transfer(preset)
    saved_model.save(mirrored(model), tmp_path / "model.keras", ["a", "b", "c"])
    loaded, _ = saved_model.load(tmp_path / "model.keras")
    again = build.with_precision(plain(loaded), "float32")
    assert not looks_at_both(again)
    inputs = IMAGES.astype(np.float32)
    np.testing.assert_allclose(again(inputs).numpy(), model(inputs).numpy(), atol=1e-6)
    vectors = build.feature_extractor(preset, 32, "float32")(inputs)
    np.testing.assert_allclose(build.head_of(loaded)(vectors), model(inputs).numpy(), atol=1e-5)


def test_convnets_too(tmp_path: Path) -> None:
    model = build.convnet(32, "rgb", [4, 8], True, 0.0, 2)
    both = mirrored(model)
    found = both(IMAGES.astype(np.float32)).numpy()
    np.testing.assert_allclose(found, both(MIRROR.astype(np.float32)).numpy(), atol=1e-6)
    assert not np.allclose(found, model(IMAGES.astype(np.float32)).numpy(), atol=1e-6)


def test_evidence_is_the_mean_over_both_and_mirrors_with_the_image(preset: Path) -> None:
    both = mirrored(transfer(preset))
    heats, other = grad_cam(both, IMAGES), grad_cam(both, MIRROR)
    assert heats.shape == other.shape == (6, *heats.shape[1:])
    np.testing.assert_allclose(heats, other[:, :, ::-1], atol=1e-5)
    assert heats.max() == pytest.approx(1)


def test_transformers_too(tmp_path: Path) -> None:
    (tmp_path / "preset").mkdir()
    presets.save((vit(), keras_hub.layers.ImageConverter(scale=1 / 127.5, offset=-1.0)), tmp_path / "preset")
    pooling_file.write(tmp_path / "preset", "both")
    model = transfer(tmp_path / "preset")
    saved_model.save(mirrored(model), tmp_path / "model.keras", ["a", "b", "c"])
    loaded, _ = saved_model.load(tmp_path / "model.keras")
    found = compiled(loaded, 6)(IMAGES)
    np.testing.assert_allclose(found, compiled(loaded, 6)(MIRROR), atol=1e-5)
    np.testing.assert_allclose(plain(loaded)(IMAGES.astype(np.float32)), model(IMAGES.astype(np.float32)), atol=1e-5)
    heats, other = heat_of(loaded, IMAGES, [0] * 6), heat_of(loaded, MIRROR, [0] * 6)
    np.testing.assert_allclose(heats, other[:, :, ::-1], atol=0.02)
