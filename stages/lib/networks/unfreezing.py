"""Which layers of a pretrained backbone train."""

import keras
import keras_hub
from keras import layers

# The layer that each transformer of KerasHub repeats, with its attention, its normalisation and its two dense layers.
_BLOCKS = {
    "CLIPEncoderLayer",
    "DINOV2Layer",
    "DINOV3Layer",
    "DeiTEncoderBlock",
    "HierarchicalTransformerEncoder",  # of MiT
    "MetaCLIP2EncoderLayer",
    "SigLIPEncoderLayer",
    "SwinTransformerBlock",
    "ViTEncoderBlock",
    "WindowedTransformerEncoder",  # of ViTDet
}
# KerasHub's DINOv2 saves another weight in its place, so that what it learnt may be lost.
_NEVER = "interpolated_position_embeddings"


def unfreeze(backbone: keras_hub.models.Backbone, last: int | None) -> None:
    """Let the backbone train, batch normalisation excepted: neither its weights nor its statistics change.

    Args:
        backbone: is changed.
        last: None trains all. Of a backbone made of blocks, the number of those that train, with everything behind
            them, counted from the output; its embeddings of patches, positions and the class token stay, however many
            blocks train. Of another one, the number of layers with weights; a layer that is made of layers and has
            weights of its own besides counts for these as one more, before the others.
    """
    # Only a change reaches the layers inside.
    backbone.trainable = False
    backbone.trainable = True
    owners = []
    for layer in in_order(backbone):
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False
        elif layer._trainable_variables:
            owners.append(layer)
    for layer in () if last is None else _before(backbone, owners, last):
        if not layer._layers:
            layer.trainable = False
        # `trainable` of a layer made of layers is that of all of them; of its own weights, each has one.
        for weight in layer._trainable_variables:
            weight.trainable = False
    for weight in backbone.weights:
        if weight.path.endswith(_NEVER):
            weight.trainable = False


def blocks(backbone: keras_hub.models.Backbone) -> list[layers.Layer]:
    """The blocks of a transformer, from input to output; empty for a backbone that has none."""
    return [layer for layer in in_order(backbone) if type(layer).__name__ in _BLOCKS]


def _before(backbone: keras_hub.models.Backbone, owners: list[layers.Layer], last: int) -> list[layers.Layer]:
    """Those layers with weights that do not train."""
    repeated = blocks(backbone)
    if not repeated:
        return owners[:-last]
    first = repeated[-last:][0]
    inside = {id(layer) for layer in (first, *in_order(first))}
    return owners[: next(place for place, layer in enumerate(owners) if id(layer) in inside)]


def in_order(layer: layers.Layer) -> list[layers.Layer]:
    """All layers within a layer, each once, from input to output; one made of layers stands before these."""
    found: dict[int, layers.Layer] = {}
    # Of a functional model the order of its graph: one that a class holds as its attribute comes first in `_layers`.
    for inner in layer.layers if isinstance(layer, keras.Model) else layer._layers:
        for one in (inner, *in_order(inner)):
            found.setdefault(id(one), one)
    return list(found.values())
