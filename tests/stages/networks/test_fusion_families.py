"""Folded networks against their layers, one by one: every kind of convolution, activation and sum, every backbone."""

from collections.abc import Callable
from itertools import product

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from stages.lib.core.errors import UserError
from stages.lib.networks import build, fusion
from stages.lib.networks.fusion import FusedConvolution, faithful, forward_pass, fuse
from stages.lib.networks.precision import policy
from stages.lib.networks.unfreezing import unfreeze
from tests.stages.families import FAMILIES, SIDE, settled

ACTIVATIONS = {
    "linear": lambda: layers.Activation("linear"),
    "relu": layers.ReLU,
    "relu6": lambda: layers.ReLU(6.0),
    "leaky_relu": lambda: layers.Activation("leaky_relu"),
    "leaky_relu_0.01": lambda: layers.LeakyReLU(0.01),
    "leaky_relu_0.3": lambda: layers.LeakyReLU(0.3),
    "prelu": lambda: layers.PReLU(keras.initializers.Constant(0.2), shared_axes=[1, 2]),
    "elu": lambda: layers.ELU(0.5),
    "selu": lambda: layers.Activation("selu"),
    "swish": lambda: layers.Activation("swish"),
    "gelu": lambda: layers.Activation("gelu"),
    "gelu_tanh": lambda: layers.Activation(lambda x: keras.activations.gelu(x, approximate=True)),
    "hard_swish": lambda: layers.Activation("hard_swish"),
    "hard_sigmoid": lambda: layers.Activation("hard_sigmoid"),
    "sigmoid": lambda: layers.Activation("sigmoid"),
    "tanh": lambda: layers.Activation("tanh"),
    "mish": lambda: layers.Activation("mish"),
    "softplus": lambda: layers.Activation("softplus"),
}
CONVOLUTIONS = {
    "3 x 3": lambda **options: layers.Conv2D(8, 3, **options),
    "1 x 1": lambda **options: layers.Conv2D(8, 1, **options),
    "depthwise": lambda **options: layers.DepthwiseConv2D(3, **options),
    "separable": lambda **options: layers.SeparableConv2D(8, 3, **options),
}


OPTIONS = ({}, {"strides": 2}, {"use_bias": False})
SUMS = (None, lambda x, y: layers.Add()([x, y]), lambda x, y: y + x)


def branches(convolution: Callable[..., layers.Layer]) -> keras.Model:
    """Every activation, alone and after a sum, on normalised convolutions of one kind: all in one vector."""
    inputs = keras.Input((8, 8, 8))
    halved = inputs[:, ::2, ::2]
    found = []
    for place, (activation, combine) in enumerate(product(ACTIVATIONS.values(), SUMS)):
        options = OPTIONS[(place // len(SUMS) + place) % len(OPTIONS)]
        bias = {} if "use_bias" in options else {"bias_initializer": "normal"}
        x = layers.BatchNormalization()(convolution(padding="same", **bias, **options)(inputs))
        x = x if combine is None else combine(x, halved if "strides" in options else inputs)
        found.append(layers.Flatten()(activation()(x)))
    return settled(keras.Model(inputs, layers.Concatenate()(found)))


def off(found: tf.Tensor, expected: tf.Tensor) -> float:
    return float(np.abs(np.asarray(found) - np.asarray(expected)).max() / np.abs(expected).max())


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_whatever_follows_the_normalisation_gets_what_the_layers_give(convolution):
    model = branches(CONVOLUTIONS[convolution])
    view, inputs = fuse(model), tf.constant(noise(4, 8, 8, 8))
    assert layers.BatchNormalization not in {type(layer) for layer in view.layers}
    compiled = tf.function(lambda x: view(x, training=False))
    assert off(compiled(inputs), model(inputs, training=False)) < 1e-5


@pytest.mark.parametrize("name", FAMILIES)
def test_a_backbone_gives_what_its_layers_give_and_a_frozen_one_also_while_its_head_trains(name):
    backbone = settled(FAMILIES[name]())
    inputs = keras.Input((SIDE, SIDE, 3), name="images")
    model = keras.Model(inputs, backbone(layers.Rescaling(1 / 127.5, -1.0)(inputs)))
    images = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), np.uint8)
    expected = model(images.astype(np.float32), training=False)
    view, forward = faithful(model, images)
    assert off(forward(images), expected) < 1e-5
    assert off(view(images.astype(np.float32), training=True), expected) < 1e-5
    folded = {type(layer) for layer in view._flatten_layers()} & {FusedConvolution}
    assert bool(folded) == (not name.startswith(("mi_t", "mobile_net_v5", "vgg", "vit_det")))


@pytest.mark.parametrize("name", ["efficient_net", "mi_t", "mobile_net_v5"])
def test_a_backbone_that_trains_keeps_its_stochastic_depth(name):
    backbone = FAMILIES[name]()
    unfreeze(backbone, None)
    inputs = keras.Input((SIDE, SIDE, 3), name="images")
    view = fuse(keras.Model(inputs, backbone(inputs)))
    images = noise(4, SIDE, SIDE, 3)
    assert off(view(images, training=True), view(images, training=False)) > 1e-3


@pytest.fixture
def joining():
    """TensorFlow joins operations again after the test, whatever the test has turned off."""
    yield
    tf.config.optimizer.set_experimental_options({"remapping": True})


def wrong_where_compiled(activation: layers.Layer) -> keras.Model:
    """What TensorFlow 2.21 computes wrongly, or not at all, without anything folded: a bias, a sum, an activation."""
    inputs = keras.Input((8, 8, 3), name="images")
    x = layers.Conv2D(8, 1, bias_initializer="normal")(inputs)
    x = layers.Add()([layers.Conv2D(8, 3, padding="same", bias_initializer="normal")(x), x])
    return keras.Model(inputs, activation(x))


@pytest.mark.usefixtures("joining")
@pytest.mark.parametrize("activation", ["leaky_relu_0.01", "mish"])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_what_tensorflow_joins_wrongly_is_seen_and_computed_layer_by_layer(activation, precision, capsys):
    with policy(precision):
        model = settled(wrong_where_compiled(ACTIVATIONS[activation]()))
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    expected = model(images.astype(np.float32), training=False)
    _, forward = faithful(model, images)
    assert "one by one" in capsys.readouterr().out
    rounding = 1e-5 if precision == "float32" else 0.02
    assert off(tf.cast(forward(images), tf.float32), tf.cast(expected, tf.float32)) < rounding


@pytest.mark.usefixtures("joining")
def test_a_fold_that_is_wrong_is_seen_and_not_used(monkeypatch, capsys):
    inputs = keras.Input((8, 8, 3), name="images")
    model = settled(keras.Model(inputs, layers.BatchNormalization()(layers.Conv2D(4, 3)(inputs))))
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    right = FusedConvolution.call
    monkeypatch.setattr(FusedConvolution, "call", lambda *args, **options: right(*args, **options) * 1.01)
    view, forward = faithful(model, images)
    assert "one by one" in capsys.readouterr().out
    assert FusedConvolution not in {type(layer) for layer in view.layers}
    assert off(forward(images), model(images.astype(np.float32), training=False)) < 1e-5


@pytest.mark.usefixtures("joining")
def test_a_network_that_never_gives_the_same_is_one_clear_error():
    inputs = keras.Input((8, 8, 3), name="images")
    always = layers.Lambda(lambda x: x + tf.random.uniform(tf.shape(x), 0, 100))
    with pytest.raises(UserError, match=r"^backbone\.preset: expected a network that gives the same outputs"):
        faithful(keras.Model(inputs, always(inputs)), np.zeros((4, 8, 8, 3), np.uint8))


@pytest.mark.parametrize("count", [1, 3, fusion.COMPARED, 20])
def test_as_many_images_as_there_are_are_compared(count, capsys):
    model = build.convnet(16, "grey", [4, 4], True, 0.25, 2)
    images = np.random.default_rng(0).integers(0, 256, (count, 16, 16, 1), np.uint8)
    _, forward = faithful(model, images)
    assert capsys.readouterr().out == ""
    np.testing.assert_array_equal(forward(images), forward_pass(model, count)(images))
