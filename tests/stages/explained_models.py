"""Models of which it is known what speaks for a class."""

import keras
import numpy as np

from stages.lib.networks import build


def averaging_convnet(color: str, channels: np.ndarray, classes: int) -> keras.Model:
    """A convnet that only averages: its map is the image's channels times `channels`, small; the head is unset."""
    model = build.convnet(32, color, [channels.shape[1]] * 2, True, 0.0, classes)
    first, second = (layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    first.set_weights([np.broadcast_to(channels / 9, (3, 3, *channels.shape)), np.zeros(channels.shape[1])])
    second.set_weights([np.broadcast_to(np.eye(channels.shape[1]) / 9, second.kernel.shape), second.bias.numpy()])
    return model


def brightness_model() -> keras.Model:
    """Grey, two classes: light speaks for class 1, darkness for class 0."""
    model = averaging_convnet("grey", np.array([[1.0, -1.0]]), 2)
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    first.bias.assign([0.0, 1.0])
    model.get_layer("classifier").set_weights([np.array([[20.0], [-1.0]]), np.zeros(1)])
    return model


def color_model(precision: str = "float32") -> keras.Model:
    """Three classes, each spoken for by one of the colours and against by the others."""
    keras.config.set_dtype_policy(precision)
    try:
        model = averaging_convnet("rgb", np.eye(3), 3)
    finally:
        keras.config.set_dtype_policy("float32")
    model.get_layer("classifier").set_weights([5 * np.eye(3) - 1, np.zeros(3)])
    return model


def transfer_model(preset, classes: int) -> keras.Model:
    keras.utils.set_random_seed(8)
    model = build.transfer_model(preset, build.head_layers(8, "tanh", 0.3, classes), 32, "float32")
    # Random features differ little from place to place: large weights make something of it.
    model.get_layer("dense").kernel.assign(30 * model.get_layer("dense").kernel)
    return model
