"""What a backbone gives for an image, as one vector: a map is averaged, rows of tokens are laid out as a map before.

A vision transformer gives a row of channels for each patch of the image and, before these, tokens of its own: a class
token that speaks for the whole image, registers, a distillation token. How many there are, its configuration says.
Everything here is made of plain Keras layers, so a saved model needs no code of ours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import keras_hub
from keras import layers

from stages.lib.core.errors import UserError
from stages.lib.core.params import Pooling

POOLING, MAP, CLASS_TOKEN = "pooling", "map", "class_token"


@dataclass(frozen=True)
class Rows:
    """What the rows of a backbone's output (batch, rows, channels) are.

    Attributes:
        own: rows before those of the patches.
        has_class: whether the first of these is a class token.
        step: height and width in pixels of what a row of a patch stands for.
    """

    own: int
    has_class: bool
    step: tuple[int, int]


def _behind(own: int) -> Callable[[keras_hub.models.Backbone], Rows]:
    return lambda backbone: Rows(own, True, _pair(backbone.patch_size))


def _with_registers(backbone: keras_hub.models.Backbone) -> Rows:
    return Rows(1 + backbone.num_register_tokens, True, _pair(backbone.patch_size))


def _vit(backbone: keras_hub.models.Backbone) -> Rows:
    return Rows(int(backbone.use_class_token), backbone.use_class_token, _pair(backbone.patch_size))


def _swin(backbone: keras_hub.models.Backbone) -> Rows:
    # Each stage but the last joins four patches to one.
    step = backbone.patch_size * 2 ** (len(backbone.depths) - 1)
    return Rows(0, False, (step, step))


# Every class of KerasHub whose output are rows; of another one nobody knows what they are.
_FAMILIES: dict[str, Callable[[keras_hub.models.Backbone], Rows]] = {
    "CLIPVisionEncoder": _behind(1),
    "DINOV2Backbone": _with_registers,
    "DINOV3Backbone": _with_registers,
    "DeiTBackbone": _behind(2),
    "MetaCLIP2VisionEncoder": _behind(1),
    "SwinTransformerBackbone": _swin,
    "ViTBackbone": _vit,
}


def image_shape(backbone: keras_hub.models.Backbone) -> tuple[int | None, int | None]:
    """Height and width in pixels of the images that a backbone takes; None where it takes any."""
    return tuple(backbone.inputs[0].shape[1:3])


def feature(layer: layers.Layer, x: Any) -> Any:
    """Call a layer; of a backbone with several outputs, such as a pyramid, give the last one.

    Args:
        layer: a backbone or another layer of one input.
        x: its input, a tensor; some backbones take it by name, which is seen to here.

    Returns:
        A tensor. The last of a dictionary is the map with the fewest positions, whatever the order of its keys.
    """
    if not isinstance(layer, keras_hub.models.Backbone):
        return layer(x)
    named = layer.input
    return _last(layer({next(iter(named)): x} if isinstance(named, dict) else x))


def _last(outputs: Any) -> Any:
    if isinstance(outputs, dict):
        outputs = [outputs[key] for key in sorted(outputs)]
        # Rising numbers of equal size, such as those of two stages that halve nothing: the last of them.
        return min(reversed(outputs), key=lambda one: one.shape[1] * one.shape[2] if len(one.shape) == 4 else 0)
    return outputs[-1] if isinstance(outputs, list | tuple) else outputs


def check(backbone: keras_hub.models.Backbone, pooling: Pooling) -> None:
    """Refuse an output that is no map, vector or known rows of tokens, and a class token where there is none.

    Args:
        backbone: takes images of one size, or of any.
        pooling: as `backbone.pooling` of params.yaml says.

    Raises:
        UserError: naming the class of the backbone.
    """
    family = type(backbone).__name__
    shape = keras.tree.flatten(backbone.output)[-1].shape
    if len(shape) == 3 and family not in _FAMILIES:
        known = ", ".join(_FAMILIES)
        raise UserError(
            f"backbone.preset: expected tokens of a known family ({known}), whose class tokens can be told from those "
            f"of patches; {family} gives {shape}"
        )
    if len(shape) not in {2, 3, 4}:
        raise UserError(
            f"backbone.preset: expected feature maps (batch, height, width, channels), tokens (batch, tokens, "
            f"channels) or vectors (batch, channels); {family} gives {shape}"
        )
    if pooling != "mean" and not (len(shape) == 3 and _FAMILIES[family](backbone).has_class):
        raise UserError(f"backbone.pooling: expected mean: {family} has no class token. Received: {pooling!r}")


def pooling_layer(backbone: keras_hub.models.Backbone, shape: tuple[int, ...], pooling: Pooling) -> layers.Layer:
    """The layer "pooling" that makes one vector float32 (batch, channels) of what `feature` gives.

    Args:
        backbone: what gives it.
        shape: of what it gives: a map (batch, height, width, channels), rows of tokens or, pooled already, vectors.
        pooling: "mean" of all positions, the class token ("cls"), or "both" beside each other: twice the channels.

    Raises:
        UserError: as `check`.
    """
    check(backbone, pooling)
    if len(shape) == 4:
        return layers.GlobalAveragePooling2D(dtype="float32", name=POOLING)
    if len(shape) == 2:
        # The network has pooled itself, as it was trained to.
        return layers.Activation("linear", dtype="float32", name=POOLING)
    rows = _FAMILIES[type(backbone).__name__](backbone)
    return _pooled_rows(rows, _grid(backbone, rows), shape[-1], pooling)


def _grid(backbone: keras_hub.models.Backbone, rows: Rows) -> tuple[int, int]:
    """How many patches lie below each other, and side by side."""
    height, width = image_shape(backbone)
    if height is None or width is None:
        raise UserError(f"common.image_size: {type(backbone).__name__} needs a size before it is built")
    return height // rows.step[0], width // rows.step[1]


def _pooled_rows(rows: Rows, positions: tuple[int, int], channels: int, pooling: Pooling) -> keras.Model:
    inputs = keras.Input((rows.own + positions[0] * positions[1], channels), name="tokens")
    parts = []
    if pooling != "cls":
        x = layers.Cropping1D((rows.own, 0), dtype="float32", name="patches")(inputs)
        x = layers.Reshape((*positions, channels), dtype="float32", name=MAP)(x)
        parts.append(layers.GlobalAveragePooling2D(dtype="float32", name="mean")(x))
    if pooling != "mean":
        x = layers.Cropping1D((0, inputs.shape[1] - 1), dtype="float32", name="first")(inputs)
        parts.append(layers.Reshape((channels,), dtype="float32", name=CLASS_TOKEN)(x))
    x = parts[0] if len(parts) == 1 else layers.Concatenate(dtype="float32", name="both")(parts)
    return keras.Model(inputs, x, name=POOLING)


def maps(model: keras.Model) -> keras.Model:
    """The part of a model from images to the map (batch, height, width, channels) whose mean its head gets.

    Args:
        model: as `networks` builds it, with a layer "pooling" that averages a map.
    """
    return _through(model, model.layers[1 : model.layers.index(model.get_layer(POOLING))])


def vectors(model: keras.Model) -> keras.Model:
    """The part of a model from images to the vectors float32 (batch, channels) that its head gets.

    Args:
        model: as `networks` builds it, with a layer "pooling".
    """
    return _through(model, model.layers[1 : model.layers.index(model.get_layer(POOLING)) + 1])


def _through(model: keras.Model, chain: Sequence[layers.Layer]) -> keras.Model:
    x = images = keras.Input(model.input_shape[1:], name="images")
    for layer in chain:
        x = feature(layer, x)
    return keras.Model(images, x)


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
