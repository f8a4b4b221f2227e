"""What is asked of a network beside probabilities: its features, their distance, and other logits."""

import keras
import numpy as np
from keras import layers, ops

from stages.lib.deciding.distances import SHORTEST, Distance
from stages.lib.networks import mirroring, tokens


def has_features(model: keras.Model) -> bool:
    """Whether a model has pooled features on which its head decides."""
    return _last(model) in {layer.name for layer in model.layers}


def with_features(model: keras.Model) -> keras.Model:
    """A model of two outputs: its own, and the pooled features on which its head decides.

    Args:
        model: a chain of layers, one with `has_features`.

    Returns:
        Gives float32 (images, outputs) and (images, channels).
    """
    x, features = keras.Input(model.input_shape[1:], name="images"), None
    inputs = x
    for layer in model.layers[1:]:
        x = tokens.feature(layer, x)
        features = x if layer.name == _last(model) else features
    return keras.Model(inputs, [x, features], name=model.name)


def with_distance(model: keras.Model, distance: Distance) -> keras.Model:
    """A model whose last output, after the probabilities, is the distance to the training images.

    Args:
        model: one with `has_features`.
        distance: of its features.

    Returns:
        Gives float32 (images, outputs + 1).
    """
    both = with_features(model)
    probabilities, features = both.outputs
    points = layers.Dense(len(distance.points), dtype="float32", name="distance_points")
    unit = features / ops.maximum(ops.sqrt(ops.sum(features * features, axis=-1, keepdims=True)), SHORTEST)
    x = ops.sign(unit) * ops.sqrt(ops.abs(unit)) - distance.center
    squares = ops.sum(x * x, axis=-1, keepdims=True) + points(x)
    points.set_weights([-2 * distance.points.T, (distance.points.astype(np.float64) ** 2).sum(axis=1)])
    nearest = -ops.top_k(-squares, distance.neighbours)[0][:, -1:]
    nearest = ops.sqrt(ops.relu(nearest)) / distance.usual
    return keras.Model(both.input, ops.concatenate([probabilities, nearest], axis=-1), name=model.name)


def _last(model: keras.Model) -> str:
    return mirroring.MEAN if mirroring.looks_at_both(model) else tokens.POOLING


def scale_logits(model: keras.Model, factor: float) -> None:
    """Multiply the logits of a model's last layer, in place: its probabilities get surer or less sure.

    Args:
        model: ends in a dense layer with sigmoid or softmax.
        factor: the inverse of a temperature.
    """
    last = model.layers[-1]
    assert isinstance(last, layers.Dense), f"expected a dense layer at the end, found {type(last).__name__}"
    last.set_weights([weights * factor for weights in last.get_weights()])
