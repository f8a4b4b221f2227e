"""Models that look at each image and its mirror image, and decide by the mean of the features of both.

Both go through the layers below the pooling as one batch of twice as many images, so that the model stays a chain of
layers that Keras loads without code of ours. A model trains without: it is added when the model is saved.
"""

import keras
import tensorflow as tf
from keras import layers, ops

from stages.lib.networks import tokens

BOTH, MEAN = "mirror", "mirror_mean"


def mirrored(model: keras.Model) -> keras.Model:
    """A model that takes the mean over each image and its mirror image, on the same weights.

    Args:
        model: a chain of layers with "pooling", takes images; one that looks at both already stays as it is.

    Returns:
        A model of the same images, with a layer "mirror" in front and "mirror_mean" after "pooling".
    """
    if looks_at_both(model):
        return model
    inputs = keras.Input(model.input_shape[1:], name="images")
    x = _both(model.input_shape[1:])(inputs)
    for layer in model.layers[1:]:
        x = tokens.feature(layer, x)
        if layer.name == tokens.POOLING:
            x = _mean(x.shape[1:])(x)
    return keras.Model(inputs, x, name=model.name)


def plain(model: keras.Model) -> keras.Model:
    """What `mirrored` was made from: the same weights, and each image by itself. To train on, for example."""
    if not looks_at_both(model):
        return model
    inputs = keras.Input(model.input_shape[1:], name="images")
    x = inputs
    for layer in without(model.layers[1:]):
        x = tokens.feature(layer, x)
    return keras.Model(inputs, x, name=model.name)


def looks_at_both(model: keras.Model) -> bool:
    """Whether a model is one that `mirrored` gave."""
    return any(layer.name == BOTH for layer in model.layers)


def without(chain: list[layers.Layer]) -> list[layers.Layer]:
    """The layers of a chain that `mirrored` did not add."""
    return [layer for layer in chain if layer.name not in (BOTH, MEAN)]


def laid_together(model: keras.Model, maps: tf.Tensor) -> tf.Tensor:
    """What is found at each position of the image and of its mirror image, as a mean over the positions of the image.

    Args:
        model: that the maps come from; one that looks at the image alone has its maps already.
        maps: float32 (images, height, width), or (2 x images, height, width) with all mirror images last.

    Returns:
        float32 (images, height, width).
    """
    if not looks_at_both(model):
        return maps
    image, mirror = tf.split(maps, 2)
    return (image + mirror[:, :, ::-1]) / 2


def _both(shape: tuple[int, ...]) -> keras.Model:
    images = keras.Input(shape, name="image", dtype="float32")
    return keras.Model(images, ops.concatenate([images, ops.flip(images, axis=2)], axis=0), name=BOTH)


def _mean(shape: tuple[int, ...]) -> keras.Model:
    features = keras.Input(shape, name="features_of_both", dtype="float32")
    return keras.Model(features, ops.mean(ops.reshape(features, (2, -1, *shape)), axis=0), name=MEAN)
