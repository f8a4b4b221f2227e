"""Batch normalisation computed with the convolution before it: the same outputs, gradients and weights."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from stages.lib.networks import build as networks
from stages.lib.networks.fusion import FusedConvolution, fuse
from stages.lib.networks.precision import policy
from stages.lib.networks.unfreezing import unfreeze
from tests.stages.families import settled

SHAPE = (4, 32, 32, 3)


def xception() -> keras.Model:
    filters = [[8, 16], [24, 24], [24, 24, 24], [24, 32], [32, 40]]
    pooling = [False, True, False, True, False]
    return keras_hub.models.XceptionBackbone(filters, pooling)


def efficient_net() -> keras.Model:
    return keras_hub.models.EfficientNetBackbone(
        stackwise_width_coefficients=[1.0] * 2,
        stackwise_depth_coefficients=[1.0] * 2,
        stackwise_kernel_sizes=[3] * 2,
        stackwise_num_repeats=[1, 2],
        stackwise_input_filters=[8] * 2,
        stackwise_output_filters=[8, 16],
        stackwise_expansion_ratios=[1, 4],
        stackwise_strides=[1, 2],
        stackwise_squeeze_and_excite_ratios=[0.25, 0],
        stackwise_block_types=["v1"] * 2,
        activation="relu6",
        dropout=0.0,
        min_depth=8,
        num_features=32,
    )


def residual() -> keras.Model:
    return keras_hub.models.ResNetBackbone([64], [3], [64, 16], [1, 1], [1, 2], "basic_block")


def images() -> np.ndarray:
    return np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)


def kinds(model: keras.Model) -> list[type]:
    return [type(layer) for layer in model.layers]


@pytest.mark.parametrize("build", [xception, efficient_net, residual])
def test_the_outputs_are_the_same_and_no_normalisation_is_left(build):
    model = settled(build())
    view = fuse(model)
    assert layers.BatchNormalization in kinds(model)
    assert layers.BatchNormalization not in kinds(view)
    expected = model(images()).numpy()
    assert expected.std() > 0
    np.testing.assert_allclose(view(images()), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("build", [xception, efficient_net])
def test_the_kernels_train_as_before(build):
    model = settled(build())
    unfreeze(model, None)
    view = fuse(model)
    assert {id(weight) for weight in view.trainable_weights} == {id(weight) for weight in model.trainable_weights}

    def gradients(one: keras.Model) -> list[np.ndarray]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(one(images(), training=True) ** 2)
        return tape.gradient(loss, [weight.value for weight in model.trainable_weights])

    for found, expected in zip(gradients(view), gradients(model), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("build", [xception, efficient_net])
def test_in_lower_precision_only_rounding_differs(build, training):
    exact = settled(build())
    with policy("mixed_bfloat16"):
        model = settled(build())
    model.set_weights(exact.get_weights())
    unfreeze(model, None)
    expected, outputs = exact(images()).numpy(), fuse(model)(images(), training=training)
    assert outputs.dtype == "bfloat16"
    error = np.sqrt(np.mean((outputs.numpy().astype(np.float32) - expected) ** 2))
    # bfloat16 has 8 bits: 0.4 % in each layer, and 1.6 % after all of them at most with twelve other seeds.
    assert error < 0.03 * expected.std()


def test_a_convolution_that_something_else_needs_too_stays():
    inputs = keras.Input(SHAPE[1:])
    convolved = layers.Conv2D(4, 3, name="convolution")(inputs)
    outputs = layers.Add()([convolved, layers.BatchNormalization()(convolved)])
    model = settled(keras.Model(inputs, outputs))
    view = fuse(model)
    assert {layers.Conv2D, FusedConvolution} <= set(kinds(view))
    np.testing.assert_allclose(view(images()), model(images()), atol=1e-5)


def test_layers_that_are_used_twice_are_used_twice():
    convolution, normalisation = layers.Conv2D(3, 3, padding="same"), layers.BatchNormalization()
    inputs = keras.Input(SHAPE[1:])
    model = settled(keras.Model(inputs, normalisation(convolution(normalisation(convolution(inputs))))))
    view = fuse(model)
    assert kinds(view).count(FusedConvolution) == 1
    np.testing.assert_allclose(view(images()), model(images()), atol=1e-5)


@pytest.mark.parametrize(
    ("convolution", "normalisation"),
    [
        (layers.Conv2D(32, 1, activation="relu"), layers.BatchNormalization()),
        (layers.Conv2D(32, 1), layers.BatchNormalization(axis=1)),
        (layers.Conv2DTranspose(32, 1), layers.BatchNormalization()),
        (layers.Conv2D(32, 1), layers.LayerNormalization()),
    ],
)
def test_what_is_not_understood_stays_as_it_is(convolution, normalisation):
    inputs = keras.Input(SHAPE[1:])
    model = settled(keras.Model(inputs, normalisation(convolution(inputs))))
    assert kinds(fuse(model))[1:] == kinds(model)[1:]
    np.testing.assert_array_equal(fuse(model)(images()), model(images()))


def test_a_model_that_is_not_functional_is_given_back():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    own = Own()
    assert fuse(own) is own


def test_a_backbone_inside_a_model_is_found(preset):
    model = networks.transfer_model(preset, networks.head_layers(4, "relu", 0.0, 2), 32, "float32")
    settled(networks.backbone_of(model))
    view = fuse(model)
    assert view.layers[-1] is model.layers[-1]
    assert FusedConvolution in {type(layer) for layer in view._flatten_layers()}
    np.testing.assert_allclose(view(images() * 50 + 128), model(images() * 50 + 128), atol=1e-5)


@pytest.mark.shared
def test_a_real_backbone(shared):
    extractor = networks.feature_extractor(shared / "presets" / "mobilenet_v2_imagenet", 180, "float32")
    settled(networks.backbone_of(extractor))
    noise = np.random.default_rng(0).uniform(0, 255, (2, 180, 180, 3)).astype(np.float32)
    expected = extractor(noise).numpy()
    np.testing.assert_allclose(fuse(extractor)(noise), expected, atol=1e-5 * np.abs(expected).max())
