"""Random variants of training images: flip, rotation and zoom as one resampling.

The same distribution, centre and reflecting border as Keras's RandomFlip, RandomRotation and RandomZoom in this order.
Composing the three before anything is read resamples each image once instead of twice, which is faster and loses less
detail.
"""

import math
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from stages.lib.core.params import AugmentationParams

_SHEET = 3  # rows, and as many columns, of a sheet of variants


def augment(images: tf.Tensor, params: AugmentationParams, seed: tf.Tensor) -> tf.Tensor:
    """Vary each image of a batch.

    Args:
        images: float32 (batch, height, width, channels) in [0, 255].
        params: how much images vary.
        seed: int32 (2,); the same seed gives the same variants.

    Returns:
        float32, same shape and range.
    """
    count = tf.shape(images)[0]
    flip_seed, turn_seed, zoom_seed = tf.unstack(tf.random.split(seed, 3))
    flip = tf.where(tf.random.stateless_uniform([count], flip_seed) < 0.5, -1.0 if params.flip else 1.0, 1.0)
    limit = params.rotation * 2 * math.pi
    angle = tf.random.stateless_uniform([count], turn_seed, -limit, limit)
    zoom = tf.random.stateless_uniform([count], zoom_seed, 1 - params.zoom, 1 + params.zoom)
    return resample(images, flip, angle, zoom)


# Compiled by XLA, all passes over the coordinates are one: several times as fast as TensorFlow's projective transform.
@tf.function(jit_compile=True)
def resample(images: tf.Tensor, flip: tf.Tensor, angle: tf.Tensor, zoom: tf.Tensor) -> tf.Tensor:
    """Flip, turn and zoom each image of a batch about its centre, in this order, in one bilinear resampling.

    Args:
        images: float32 (batch, height, width, channels), with a height, width and channels that are known beforehand.
        flip: float32 (batch,), -1 mirrors left to right, 1 does not.
        angle: float32 (batch,) in radians.
        zoom: float32 (batch,), the share of the image that stays in view: below 1 is closer, above 1 farther.

    Returns:
        float32, same shape and range. What a zoom shows from outside is the mirror image of the turned image; what
        a turn shows from outside is that of the image itself.
    """
    height, width = images.shape[1:3]
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    flip, cosine, sine, zoom = (one[:, tf.newaxis] for one in (flip, tf.cos(angle), tf.sin(angle), zoom))
    # Where the output's pixels lie in the turned image, about its centre: (batch, width) and (batch, height).
    x = _mirrored(middle_x + zoom * (tf.range(width, dtype=tf.float32) - middle_x), width) - middle_x
    y = _mirrored(middle_y + zoom * (tf.range(height, dtype=tf.float32) - middle_y), height) - middle_y
    # And these in the image itself, (batch, height, width): x' = flip * (cos x - sin y), y' = sin x + cos y.
    columns = (middle_x + flip * cosine * x)[:, tf.newaxis] - (flip * sine * y)[..., tf.newaxis]
    rows = (middle_y + cosine * y)[..., tf.newaxis] + (sine * x)[:, tf.newaxis]
    varied = _bilinear(images, _mirrored(rows, height), _mirrored(columns, width))
    # Networks that need the size of their input beforehand find it.
    return tf.ensure_shape(varied, images.shape)


def _mirrored(coordinates: tf.Tensor, size: int) -> tf.Tensor:
    """Bring coordinates into [0, size - 1], as if pixels a to d were laid out as ... dcba abcd dcba ..."""
    there_and_back = tf.math.floormod(coordinates + 0.5, 2.0 * size)
    return tf.clip_by_value(tf.minimum(there_and_back, 2 * size - there_and_back) - 0.5, 0.0, size - 1.0)


def _bilinear(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Read each image of a batch at coordinates inside it, float32 (batch, rows, columns)."""
    height, width, channels = images.shape[1:]
    top, left = tf.floor(rows), tf.floor(columns)
    down, right = rows - top, columns - left
    row, column = tf.cast(top, tf.int32), tf.cast(left, tf.int32)
    first = (tf.range(tf.shape(images)[0]) * height)[:, tf.newaxis, tf.newaxis]
    here = (first + row) * width + column
    # A pixel on the last column or row is its own neighbour, which then counts nothing.
    beside, below = tf.cast(column < width - 1, tf.int32), tf.cast(row < height - 1, tf.int32) * width
    neighbours = (
        (here, (1 - down) * (1 - right)),
        (here + beside, (1 - down) * right),
        (here + below, down * (1 - right)),
        (here + beside + below, down * right),
    )
    pixels = tf.reshape(images, (-1, channels))
    return tf.add_n([tf.gather(pixels, index) * share[..., tf.newaxis] for index, share in neighbours])


def save_sheet(image: np.ndarray, params: AugmentationParams, seed: int, file: Path) -> None:
    """Save a square sheet of variants of one image, the unchanged image first.

    Args:
        image: uint8 (height, width, channels) in [0, 255].
        params: how much the variants vary.
        seed: the same seed gives the same sheet.
        file: PNG to write.
    """
    copies = np.repeat(image[np.newaxis].astype(np.float32), _SHEET * _SHEET, axis=0)
    variants = (
        augment(tf.constant(copies), params, tf.constant([seed, 0])).numpy().round().clip(0, 255).astype(np.uint8)
    )
    variants[0] = image
    height, width, channels = image.shape
    sheet = variants.reshape(_SHEET, _SHEET, height, width, channels).swapaxes(1, 2)
    sheet = sheet.reshape(_SHEET * height, _SHEET * width, channels)
    Image.fromarray(sheet.squeeze(-1) if channels == 1 else sheet).save(file)
