"""Which layers of a pretrained backbone train."""

import keras_hub
from keras import layers


def unfreeze(backbone: keras_hub.models.Backbone, last: int | None) -> None:
    """Let the backbone train, batch normalisation excepted: neither its weights nor its statistics change.

    Args:
        backbone: is changed.
        last: number of layers with weights that train, counted from the output; None trains all. A layer that is made
            of layers and has weights of its own besides counts for these as one more, before the others.
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
    for layer in owners[: 0 if last is None else -last]:
        if not layer._layers:
            layer.trainable = False
        # `trainable` of a layer made of layers is that of all of them; of its own weights, each has one.
        for weight in layer._trainable_variables:
            weight.trainable = False


def in_order(layer: layers.Layer) -> list[layers.Layer]:
    """All layers within a layer, each once, from input to output; one made of layers stands before these."""
    found: dict[int, layers.Layer] = {}
    for inner in layer._layers:
        for one in (inner, *in_order(inner)):
            found.setdefault(id(one), one)
    return list(found.values())
