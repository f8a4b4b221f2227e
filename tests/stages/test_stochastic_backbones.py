"""Backbones with stochastic depth, and those that need the size of their input beforehand, through the real stages."""

import keras
import keras_hub
import numpy as np
import pytest

from stages.lib.arrays.decoded import decode_all
from stages.lib.images.manifest import read_subset
from stages.lib.images.resizing import STRETCH
from stages.lib.networks.build import load_backbone
from tests.stages.families import efficient_net, mi_t, mobile_net_v5
from tests.stages.model_runs import load, run_stages, summary

pytestmark = pytest.mark.usefixtures("elsewhere")


def stochastic_efficient_net() -> keras.Model:
    return efficient_net("v1")


SLOW = [pytest.param(build, marks=pytest.mark.slow) for build in (mi_t, mobile_net_v5)]


@pytest.mark.parametrize("build", [*SLOW, stochastic_efficient_net])
def test_every_stage_trains_measures_and_saves_them(build, two_classes, common, variation, tmp_path, monkeypatch):
    preset = tmp_path / "preset"
    build().save_to_preset(str(preset))
    keras_hub.layers.ImageConverter(scale=1 / 127.5, offset=-1.0).save_to_preset(str(preset))
    seen = frozen_outputs(monkeypatch)
    run_stages(tmp_path, two_classes, preset, common, variation, "float32")
    assert seen
    assert all(seen), "a frozen backbone gave something else in training"
    validation = read_subset(*two_classes, "validation")
    images = decode_all(validation.paths, common.image_size, "rgb", tmp_path / "overflow", STRETCH).astype(np.float32)
    original = [weight.numpy() for weight in load_backbone(preset, "float32")[0].weights]
    for name in ("feature_extraction_augmented", "fine_tuned"):
        model, _ = load(tmp_path / name)
        probability = model.predict(images, verbose=0)[:, 0].astype(float)
        right = np.where(validation.labels == 1, probability, 1 - probability)
        assert -np.log(right).mean() == pytest.approx(summary(tmp_path / name)["val_loss"], rel=1e-3)
        backbone = next(layer for layer in model.layers if isinstance(layer, keras_hub.models.Backbone))
        same = [np.array_equal(*pair) for pair in zip(original, backbone.get_weights(), strict=True)]
        assert all(same) == (name == "feature_extraction_augmented")


def frozen_outputs(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each view that trains on a frozen backbone: whether that gives in training what it gives otherwise."""
    from stages.lib.training import image_training

    seen: list[bool] = []
    real = image_training.faithful

    def faithful(network: keras.Model, images: np.ndarray) -> tuple:
        view, forward = real(network, images)
        backbones = [layer for layer in view.layers if isinstance(layer, keras.Model) and not layer.trainable_weights]
        inputs = np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype(np.float32)
        seen.extend(np.allclose(one(inputs, training=True), one(inputs, training=False)) for one in backbones)
        return view, forward

    monkeypatch.setattr(image_training, "faithful", faithful)
    return seen
