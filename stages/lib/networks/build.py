"""The networks: a convnet from nothing, and a head on a pretrained backbone."""

from collections.abc import Sequence
from pathlib import Path

import keras
import keras_hub
from keras import layers

from smallset.images.choices import Color
from stages.lib.core.errors import UserError
from stages.lib.core.params import Precision
from stages.lib.images.decode import CHANNELS
from stages.lib.networks import converter_file, lora, mirroring, model_files, pooling_file, tokens
from stages.lib.networks.precision import policy


def classifier(classes: int) -> layers.Layer:
    """Last layer: one sigmoid unit for two classes, else a softmax unit per class; in float32 at any precision.

    Args:
        classes: their number, at least 2.
    """
    if classes == 2:
        return layers.Dense(1, activation="sigmoid", dtype="float32", name="classifier")
    return layers.Dense(classes, activation="softmax", dtype="float32", name="classifier")


def loss(classes: int) -> keras.losses.Loss:
    """Cross-entropy that fits `classifier(classes)` and integer labels."""
    return keras.losses.BinaryCrossentropy() if classes == 2 else keras.losses.SparseCategoricalCrossentropy()


def convnet(
    image_size: int, color: Color, filters: Sequence[int], pooling: bool, dropout: float, classes: int
) -> keras.Model:
    """A stack of 3 x 3 convolutions, pooled on average, and a classifier.

    Takes (batch, image_size, image_size, channels) in [0, 255]; gives probabilities (batch, 1) or (batch, classes).

    Args:
        image_size: height and width of the input in pixels.
        color: rgb or grey: 3 channels or 1.
        filters: number of filters of each convolution, from the input on.
        pooling: whether 2 x 2 max pooling lies between the convolutions.
        dropout: share of units dropped before the classifier, in [0, 1); 0 adds no layer.
        classes: their number.

    Returns:
        Not compiled, with random weights.

    Raises:
        UserError: the images are too small for this many convolutions.
    """
    inputs = keras.Input((image_size, image_size, CHANNELS[color]), name="images")
    x = layers.Rescaling(1 / 255)(inputs)
    for depth, count in enumerate(filters):
        if depth and pooling:
            x = layers.MaxPooling2D(2)(x)
        if min(x.shape[1:3]) < 3:
            raise UserError(
                f"common.image_size: {image_size} pixels are too few for {len(filters)} convolutions; "
                f"only {depth} fit. Use larger images or fewer filters"
            )
        x = layers.Conv2D(count, 3, activation="relu")(x)
    x = layers.GlobalAveragePooling2D(dtype="float32", name=tokens.POOLING)(x)
    if dropout:
        x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, classifier(classes)(x))


def head_layers(units: int, activation: str, dropout: float, classes: int) -> list[layers.Layer]:
    """The layers between pooled features and probabilities: dense, dropout, classifier; all in float32.

    Args:
        units: of the dense layer.
        activation: of the dense layer, such as "relu".
        dropout: share of units dropped before the classifier, in [0, 1).
        classes: their number.

    Returns:
        Three layers, not built.
    """
    return [
        layers.Dense(units, activation=activation, dtype="float32", name="dense"),
        layers.Dropout(dropout, dtype="float32", name="dropout"),
        classifier(classes),
    ]


def head(stack: Sequence[layers.Layer], channels: int) -> keras.Model:
    """The head alone: takes pooled features (batch, channels); shares its layers with what else they are part of.

    Args:
        stack: layers, as `head_layers` gives them.
        channels: size of a feature vector.

    Returns:
        Takes float32 (batch, channels); gives probabilities float32 (batch, 1) or (batch, classes).
    """
    inputs = keras.Input((channels,), name="features")
    return keras.Model(inputs, _chain(stack, inputs))


def head_of(model: keras.Model) -> keras.Model:
    """The head of what `transfer_model` built, on the same weights."""
    pooling = model.get_layer(tokens.POOLING)
    return head(mirroring.without(model.layers[model.layers.index(pooling) + 1 :]), pooling.output.shape[-1])


def transfer_model(preset: Path, stack: Sequence[layers.Layer], image_size: int, precision: Precision) -> keras.Model:
    """A frozen backbone with its own scaling of images, the pooling that its directory names, and a head.

    Takes (batch, image_size, image_size, 3) in [0, 255]; gives probabilities (batch, 1) or (batch, classes).

    Args:
        preset: directory of the stage `backbone`.
        stack: layers of the head, as `head_layers` gives them.
        image_size: height and width of the input in pixels.
        precision: in which the backbone computes.

    Returns:
        Not compiled; only the head trains.
    """
    inputs = keras.Input((image_size, image_size, 3), name="images")
    return keras.Model(inputs, _chain(stack, _pooled(preset, inputs, precision)))


def feature_extractor(preset: Path, image_size: int, precision: Precision) -> keras.Model:
    """The part of `transfer_model` below the head: images in [0, 255] to float32 (batch, channels).

    Args:
        preset: directory of the stage `backbone`.
        image_size: height and width of the input in pixels.
        precision: in which the backbone computes.
    """
    inputs = keras.Input((image_size, image_size, 3), name="images")
    return keras.Model(inputs, _pooled(preset, inputs, precision))


def load_backbone(preset: Path, precision: Precision) -> tuple[keras_hub.models.Backbone, layers.Layer]:
    """Load the backbone of a preset directory, and the scaling that its image converter asks for.

    Args:
        preset: directory of the stage `backbone`.
        precision: in which the backbone computes.

    Returns:
        The backbone, and a layer that takes images in [0, 255] to what the backbone expects.
    """
    model_files.check_preset(preset)
    # Some backbones hand `dtype` on to their layers, others build them in the policy of the moment.
    with policy(precision):
        backbone = keras_hub.models.Backbone.from_preset(str(preset), dtype=precision)
    converter = converter_file.read(preset)
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    return backbone, layers.Rescaling(scale, offset, dtype="float32", name="scaling")


def backbone_of(model: keras.Model) -> keras_hub.models.Backbone:
    """The backbone inside a model that `transfer_model` built."""
    return next(layer for layer in model.layers if isinstance(layer, keras_hub.models.Backbone))


def with_precision(model: keras.Model, precision: Precision) -> keras.Model:
    """The model that `transfer_model` built, its backbone computing in another precision; the weights stay the same.

    Args:
        model: as `transfer_model` built it.
        precision: in which the backbone of the copy computes.

    Returns:
        A new model; `model` stays as it is.
    """
    old = backbone_of(model)
    with policy(precision):
        new = type(old).from_config(old.get_config() | {"dtype": precision})
    new.set_weights(lora.plain_weights(old))
    inputs = keras.Input(model.input_shape[1:], name="images")
    return keras.Model(inputs, _chain([new if layer is old else layer for layer in model.layers[1:]], inputs))


def _pooled(preset: Path, images: keras.KerasTensor, precision: Precision) -> keras.KerasTensor:
    backbone, scaling = load_backbone(preset, precision)
    backbone.trainable = False
    x = _chain([scaling, backbone], images)
    return tokens.pooling_layer(backbone, x.shape, pooling_file.read(preset))(x)


def _chain(stack: Sequence[layers.Layer], x: keras.KerasTensor) -> keras.KerasTensor:
    for layer in stack:
        x = tokens.feature(layer, x)
    return x
