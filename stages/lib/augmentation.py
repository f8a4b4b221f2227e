"""Random variants of training pictures: flip, rotation and zoom as one resampling.

The same distribution, centre and reflecting border as Keras's RandomFlip, RandomRotation and RandomZoom in this order.
Composing the three into one projective transform resamples each picture once instead of twice, which is
faster and loses less detail.
"""

import math
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from stages.lib.params import AugmentationParams


def augment(pictures: tf.Tensor, params: AugmentationParams, seed: tf.Tensor) -> tf.Tensor:
    """Vary each picture of a batch.

    Args:
        pictures: float32 (batch, height, width, channels) in [0, 255].
        seed: int32 (2,); the same seed gives the same variants.

    Returns:
        float32, same shape and range.
    """
    count = tf.shape(pictures)[0]
    flip_seed, turn_seed, zoom_seed = tf.unstack(tf.random.split(seed, 3))
    flip = tf.where(tf.random.stateless_uniform([count], flip_seed) < 0.5, -1.0 if params.flip else 1.0, 1.0)
    limit = params.rotation * 2 * math.pi
    angle = tf.random.stateless_uniform([count], turn_seed, -limit, limit)
    zoom = tf.random.stateless_uniform([count], zoom_seed, 1 - params.zoom, 1 + params.zoom)
    return resample(pictures, flip, angle, zoom)


def resample(pictures: tf.Tensor, flip: tf.Tensor, angle: tf.Tensor, zoom: tf.Tensor) -> tf.Tensor:
    """Flip, turn and zoom each picture of a batch about its centre, in this order, in one bilinear resampling.

    Args:
        pictures: float32 (batch, height, width, channels).
        flip: float32 (batch,), -1 mirrors left to right, 1 does not.
        angle: float32 (batch,) in radians.
        zoom: float32 (batch,), the share of the picture that stays in view: below 1 is closer, above 1 farther.

    Returns:
        float32, same shape; what comes from outside the picture is its mirror image.
    """
    size = tf.cast(tf.shape(pictures)[1:3], tf.float32)
    middle_y, middle_x = (size[0] - 1) / 2, (size[1] - 1) / 2
    cosine, sine = zoom * tf.cos(angle), zoom * tf.sin(angle)
    # Where the output's pixel (x, y) is read from, about the centre: x' = flip * (cos x - sin y), y' = sin x + cos y.
    xx, xy, yx, yy = flip * cosine, -flip * sine, sine, cosine
    x0 = middle_x - xx * middle_x - xy * middle_y
    y0 = middle_y - yx * middle_x - yy * middle_y
    nothing = tf.zeros_like(zoom)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=tf.stack([xx, xy, x0, yx, yy, y0, nothing, nothing], axis=1),
        output_shape=tf.shape(pictures)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def save_sheet(picture: np.ndarray, params: AugmentationParams, seed: int, file: Path, rows: int = 3) -> None:
    """Save a square sheet of variants of one picture, the unchanged picture first.

    Args:
        picture: uint8 (height, width, channels) in [0, 255].
    """
    copies = np.repeat(picture[np.newaxis].astype(np.float32), rows * rows, axis=0)
    variants = (
        augment(tf.constant(copies), params, tf.constant([seed, 0])).numpy().round().clip(0, 255).astype(np.uint8)
    )
    variants[0] = picture
    height, width, channels = picture.shape
    sheet = variants.reshape(rows, rows, height, width, channels).swapaxes(1, 2)
    sheet = sheet.reshape(rows * height, rows * width, channels)
    Image.fromarray(sheet.squeeze(-1) if channels == 1 else sheet).save(file)
