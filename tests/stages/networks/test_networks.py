"""The networks have the sizes that the method gives them."""

import keras
import numpy as np
import pytest

from stages.lib.core.errors import UserError
from stages.lib.networks import build as networks
from stages.lib.networks import tokens
from stages.lib.networks.unfreezing import blocks, unfreeze
from tests.stages.families import FAMILIES, SIDE
from tests.stages.token_families import TOKEN_FAMILIES


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


def test_images_too_small_for_the_convolutions_are_one_clear_error():
    with pytest.raises(UserError, match=r"common\.image_size: 16 pixels .* only 2 fit"):
        networks.convnet(16, "rgb", [4] * 5, True, 0.0, 2)


def test_a_transfer_model_scales_images_as_its_preset_asks(preset):
    scaling = networks.transfer_model(preset, networks.head_layers(4, "relu", 0.0, 2), 32, "float32").layers[1]
    np.testing.assert_allclose(scaling(np.array([[0.0, 127.5, 255.0]])), [[-1, 0, 1]], atol=1e-6)


def test_a_frozen_model_trains_four_tensors_and_an_unfrozen_one_all_but_batch_normalisation(preset):
    model = networks.transfer_model(preset, networks.head_layers(4, "relu", 0.0, 2), 32, "float32")
    assert len(model.trainable_weights) == 4
    backbone = networks.backbone_of(model)
    unfreeze(backbone, None)
    frozen = {"gamma", "beta", "moving_mean", "moving_variance"}
    normalisation = [weight for weight in backbone.weights if weight.path.split("/")[-1] in frozen]
    assert len(model.trainable_weights) == 4 + len(backbone.weights) - len(normalisation)
    assert not {id(w) for w in normalisation} & {id(w) for w in model.trainable_weights}


def test_batch_normalisation_of_an_unfrozen_backbone_computes_as_frozen(preset):
    model = networks.transfer_model(preset, networks.head_layers(4, "relu", 0.0, 2), 32, "float32")
    unfreeze(networks.backbone_of(model), None)
    images = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(model(images, training=True), model(images, training=False), atol=1e-6)


def test_another_precision_keeps_the_weights(preset):
    model = networks.transfer_model(preset, networks.head_layers(4, "relu", 0.0, 2), 32, "float32")
    other = networks.with_precision(model, "mixed_bfloat16")
    for before, after in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(before, after)
    assert networks.backbone_of(other).dtype_policy.name == "mixed_bfloat16"
    images = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(model(images), other(images), atol=0.05)


class Container(keras.layers.Layer):
    """A layer with weights of its own, and layers with weights inside: as attention with a table of positions is."""

    def __init__(self, deeper: bool) -> None:
        super().__init__()
        self.first = keras.layers.Dense(4)
        self.second = Container(deeper=False) if deeper else keras.layers.Dense(4)
        self.norm = keras.layers.BatchNormalization(scale=False, center=False)

    def build(self, shape):
        self.table = self.add_weight(shape=(4,), name="table")
        for layer in (self.first, self.second, self.norm):
            layer.build((*shape[:-1], 4))

    def call(self, x):
        return self.norm(self.second(self.first(x + self.table)))


# first a convolution, then a container: its table, `first`, the container `second` with its table and two layers
OWNERS = ["conv/kernel conv/bias", "table", "kernel bias", "table", "kernel bias", "kernel bias"]


@pytest.mark.parametrize("last", [None, *range(1, 8)])
def test_unfreezing_counts_the_weights_that_a_layer_made_of_layers_has_itself(last):
    inputs = keras.Input((8, 8, 3))
    x = Container(deeper=True)(keras.layers.Conv2D(4, 3, name="conv")(inputs))
    backbone = keras.Model(inputs, keras.layers.BatchNormalization()(x))
    backbone.trainable = False
    unfreeze(backbone, last)
    expected = sum(len(names.split()) for names in (OWNERS if last is None else OWNERS[-last:]))
    assert len(backbone.trainable_weights) == expected
    kinds = [layer for layer in backbone._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(kinds) == 3
    assert not any(layer.trainable for layer in kinds)
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(backbone(images, training=True), backbone(images, training=False), atol=1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_unfreezing_more_layers_trains_more_weights_from_the_output_on(name):
    backbone = FAMILIES[name]()
    backbone.trainable = False
    normalisations = [one for one in backbone._flatten_layers() if isinstance(one, keras.layers.BatchNormalization)]
    of_normalisations = {id(weight) for one in normalisations for weight in one.weights}
    before: set[int] = set()
    for last in (1, 2, 1000, None):
        unfreeze(backbone, last)
        trained = {id(weight) for weight in backbone.trainable_weights}
        assert before <= trained
        assert before < trained or last is None or name == "vgg" or blocks(backbone)
        before = trained
    everything = {id(weight) for layer in backbone._flatten_layers() for weight in layer._trainable_variables}
    assert before == everything - of_normalisations


@pytest.mark.parametrize("name", ["mi_t", "swin", "vit", "vit_det"])
def test_unfreezing_a_transformer_counts_blocks_and_leaves_embeddings_as_they_are(name):
    backbone = (FAMILIES | TOKEN_FAMILIES)[name]()
    first, *_, last = blocks(backbone)
    unfreeze(backbone, 1)
    trained = {id(weight) for weight in backbone.trainable_weights}
    assert {id(weight) for weight in last.trainable_weights} <= trained
    assert not trained & {id(weight) for weight in first.weights}
    # What lies behind the blocks trains with the last of them.
    behind = next(layer for layer in reversed(backbone.layers) if layer.weights)
    assert id(behind.weights[-1]) in trained
    unfreeze(backbone, 1000)
    paths = {weight.path for weight in backbone.trainable_weights}
    assert not [path for path in paths if "pos_embed" in path or "position_embedding" in path or "class_token" in path]
    assert {weight.path for weight in first.trainable_weights} <= paths
    unfreeze(backbone, None)
    assert len(backbone.trainable_weights) > len(paths)


def test_what_keras_hub_does_not_save_never_trains(tmp_path):
    backbone = TOKEN_FAMILIES["dino_v2"]()
    unfreeze(backbone, None)
    assert not [one.path for one in backbone.trainable_weights if "position_embeddings" in one.path]
    images = np.random.default_rng(0).normal(size=(2, SIDE, SIDE, 3)).astype(np.float32)
    for weight in backbone.trainable_weights:
        weight.assign(weight + 0.1)
    expected = tokens.feature(backbone, images)
    backbone.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(tokens.feature(keras.saving.load_model(tmp_path / "model.keras"), images), expected)


@pytest.mark.shared
def test_the_head_of_a_real_backbone(shared):
    stack = networks.head_layers(256, "linear", 0.25, 2)
    model = networks.transfer_model(shared / "presets" / "mobilenet_v2_imagenet", stack, 180, "float32")
    assert networks.backbone_of(model).compute_output_shape((None, 180, 180, 3))[1:] == (6, 6, 1280)
    assert len(model.trainable_weights) == 4
