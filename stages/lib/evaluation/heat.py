"""Where a model looks: how much each place of an image speaks for a class."""

from collections.abc import Sequence

import keras
import keras_hub
import numpy as np
import tensorflow as tf
from keras import layers
from scipy import ndimage

from smallset.explanation.occlusion import occlusion
from stages.lib.networks import tokens
from stages.lib.networks.mirroring import laid_together
from stages.lib.networks.saved_model import input_of
from stages.lib.networks.unfreezing import blocks


def heat_of(model: keras.Model, images: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Which places speak for a class: of a convolutional network by `grad_cam`, of a transformer by `occlusion`.

    Attention carries what a patch shows to all others, so that the last tokens of a transformer do not say where it
    was: covering what Grad-CAM finds there lowers the probability less than covering places at random.

    Args:
        model: as `networks` builds it, with a layer "pooling".
        images: uint8 (count, size, size, channels) in [0, 255].
        classes: the class to explain per image, an index.

    Returns:
        float32 (count, rows, columns) in [0, 1], each divided by its maximum.
    """
    backbone = next((layer for layer in model.layers if isinstance(layer, keras_hub.models.Backbone)), None)
    if backbone is None or not blocks(backbone):
        return grad_cam(model, images, classes)
    vectors, head = tokens.vectors(model), _head(model)
    patch = int(np.max(getattr(backbone, "patch_size", 1)))
    return occlusion(
        lambda some: _log_odds(head, vectors(some, training=False)).numpy(), images, np.asarray(classes), patch
    )


def grad_cam(model: keras.Model, images: np.ndarray, classes: Sequence[int] | None = None) -> np.ndarray:
    """Grad-CAM (Selvaraju et al. 2017): which positions of the last feature map speak for a class.

    The gradient is that of the log odds of the class, since that of a sure probability vanishes, and a logit alone says
    nothing: what raises every other logit speaks against the class. Average pooling right above the map gives every
    position the same gradient. Grad-CAM therefore equals HiResCAM here (Draelos & Carin 2020), and of two classes CAM
    (Zhou et al. 2016) where the head is a single layer.

    Args:
        model: as `networks` builds it, a chain of layers with "pooling", that averages a map, and "classifier" last.
            Of one that looks at mirror images too, the mean over both is explained.
        images: uint8 (count, height, width, channels) in [0, 255].
        classes: the class to explain per image, an index; None explains the predicted one.

    Returns:
        float32 (count, map_height, map_width) in [0, 1], each divided by its maximum; zero where nothing speaks for the
        class.
    """
    above = _head(model)
    maps = tf.cast(tokens.maps(model)(tf.cast(images, tf.float32), training=False), tf.float32)
    pooled = tf.reduce_mean(maps, axis=(1, 2))
    with tf.GradientTape() as tape:
        tape.watch(pooled)
        odds = _log_odds(above, pooled)
        explained = tf.argmax(odds, axis=1) if classes is None else tf.constant(classes, tf.int64)
        scores = tf.gather(odds, explained, axis=1, batch_dims=1)
    weights = tape.gradient(scores, pooled)
    heats = tf.nn.relu(laid_together(model, tf.einsum("nhwc,nc->nhw", maps, weights)))
    return tf.math.divide_no_nan(heats, tf.reduce_max(heats, axis=(1, 2), keepdims=True)).numpy()


def spread(model: keras.Model, heats: np.ndarray) -> np.ndarray:
    """Lay heat on the pixels it speaks of, smoothly.

    Convolutions without padding leave out the border: the outer positions of a convnet's map lie well inside the
    image, and their heat goes on to its border. The map of a backbone is taken to cover the image evenly, as usual,
    which is right to within half a position.

    Args:
        model: that the heat is of.
        heats: float32 (count, map_height, map_width) in [0, 1], of images at the size of the model.

    Returns:
        float32 (count, height, width) in [0, 1].
    """
    size, _ = input_of(model)
    start, step = np.transpose([_first_position(model, size, positions) for positions in heats.shape[1:]])
    spread_out = [
        ndimage.affine_transform(heat, 1 / step, -start / step, (size, size), order=3, mode="nearest") for heat in heats
    ]
    return np.clip(spread_out, 0, 1).astype(np.float32)


def _head(model: keras.Model) -> list[layers.Layer]:
    return model.layers[model.layers.index(model.get_layer(tokens.POOLING)) + 1 :]


def _log_odds(head: Sequence[layers.Layer], x: tf.Tensor) -> tf.Tensor:
    """Of each class the logarithm of p / (1 - p) by its probability p, which need not be exact: (count, classes)."""
    for layer in head[:-1]:
        x = layer(x, training=False)
    logits = tf.cast(x, tf.float32) @ head[-1].kernel + head[-1].bias
    if logits.shape[1] == 1:
        return tf.concat([-logits, logits], axis=1)
    # Only where p may be near 1 its rest has to be summed up: of one class, not of each, whose number may be great.
    highest = tf.one_hot(tf.argmax(logits, axis=1), logits.shape[1], on_value=True, off_value=False)
    rest = tf.reduce_logsumexp(tf.where(highest, -np.inf, logits), axis=1, keepdims=True)
    likely = tf.nn.log_softmax(logits)
    return tf.where(highest, logits - rest, likely - tf.math.log1p(-tf.exp(tf.where(highest, -1.0, likely))))


def _first_position(model: keras.Model, size: int, positions: int) -> tuple[float, float]:
    """Pixel in the middle of what the first position of the map sees, and pixels from one position to the next."""
    windows = [layer for layer in model.layers if isinstance(layer, layers.Conv2D | layers.MaxPooling2D)]
    if not windows:
        step = size / positions
        return (step - 1) / 2, step
    start, step = 0.0, 1.0
    for layer in windows:
        width, _ = layer.kernel_size if isinstance(layer, layers.Conv2D) else layer.pool_size
        start += (width - 1) / 2 * step
        step *= layer.strides[0]
    return start, step
