"""The networks have the sizes that the method gives them."""

import keras
import numpy as np
import pytest

from stages.lib import networks
from stages.lib.errors import UserError


def last_feature_map(model: keras.Model) -> tuple[int, ...]:
    return next(layer for layer in reversed(model.layers) if isinstance(layer, keras.layers.Conv2D)).output.shape[1:]


def test_the_reference_convnet():
    model = networks.convnet(180, "rgb", [32, 64, 128, 256, 512], True, 0.0, 2)
    assert model.count_params() == 1_569_089
    assert last_feature_map(model) == (7, 7, 512)
    assert model.output_shape == (None, 1)


@pytest.mark.parametrize(("pooling", "feature_map"), [(True, (3, 3, 256)), (False, (22, 22, 256))])
def test_the_digits_convnet_and_its_ablation(pooling, feature_map):
    model = networks.convnet(28, "grey", [64, 128, 256], pooling, 0.0, 10)
    assert model.count_params() == 372_234
    assert last_feature_map(model) == feature_map
    assert model.output_shape == (None, 10)


def test_dropout_stands_before_the_classifier():
    kinds = [type(layer).__name__ for layer in networks.convnet(32, "rgb", [4], True, 0.25, 2).layers]
    assert kinds[-2:] == ["Dropout", "Dense"]


def test_pictures_too_small_for_the_convolutions_are_one_clear_error():
    with pytest.raises(UserError, match=r"common\.image_size: 16 pixels .* only 2 fit"):
        networks.convnet(16, "rgb", [4] * 5, True, 0.0, 2)


def test_a_transfer_model_scales_pictures_as_its_preset_asks(preset):
    scaling = networks.transfer_model(preset, networks.head_layers(4, "relu", 0.0, 2), 32, "float32").layers[1]
    np.testing.assert_allclose(scaling(np.array([[0.0, 127.5, 255.0]])), [[-1, 0, 1]], atol=1e-6)


def test_a_frozen_model_trains_four_tensors_and_an_unfrozen_one_all_but_batch_normalisation(preset):
    model = networks.transfer_model(preset, networks.head_layers(4, "relu", 0.0, 2), 32, "float32")
    assert len(model.trainable_weights) == 4
    backbone = networks.backbone_of(model)
    networks.unfreeze(backbone, None)
    frozen = {"gamma", "beta", "moving_mean", "moving_variance"}
    normalisation = [weight for weight in backbone.weights if weight.path.split("/")[-1] in frozen]
    assert len(model.trainable_weights) == 4 + len(backbone.weights) - len(normalisation)
    assert not {id(w) for w in normalisation} & {id(w) for w in model.trainable_weights}


def test_batch_normalisation_of_an_unfrozen_backbone_computes_as_frozen(preset):
    model = networks.transfer_model(preset, networks.head_layers(4, "relu", 0.0, 2), 32, "float32")
    networks.unfreeze(networks.backbone_of(model), None)
    pictures = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(model(pictures, training=True), model(pictures, training=False), atol=1e-6)


def test_another_precision_keeps_the_weights(preset):
    model = networks.transfer_model(preset, networks.head_layers(4, "relu", 0.0, 2), 32, "float32")
    other = networks.with_precision(model, "mixed_bfloat16")
    for before, after in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(before, after)
    assert networks.backbone_of(other).dtype_policy.name == "mixed_bfloat16"
    pictures = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(model(pictures), other(pictures), atol=0.05)


@pytest.mark.shared
def test_the_head_of_a_real_backbone(shared):
    stack = networks.head_layers(256, "linear", 0.25, 2)
    model = networks.transfer_model(shared / "presets" / "mobilenet_v2_imagenet", stack, 180, "float32")
    assert networks.backbone_of(model).compute_output_shape((None, 180, 180, 3))[1:] == (6, 6, 1280)
    assert len(model.trainable_weights) == 4
