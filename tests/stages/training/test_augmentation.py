"""One resampling has the geometry of Keras's three layers; batches depend on seed, epoch and step alone."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from stages.lib.core.params import AugmentationParams
from stages.lib.training.augmentation import augment, resample, save_sheet
from stages.lib.training.batches import training_batches, validation_batches

STILL = AugmentationParams(flip=False, rotation=0.0, zoom=0.0)


def smooth_images(count: int = 4, size: int = 48) -> np.ndarray:
    """Images without fine detail, so that resampling once or twice gives nearly the same."""
    coarse = np.random.default_rng(5).uniform(0, 255, (count, 5, 5, 3)).astype(np.float32)
    return tf.image.resize(coarse, (size, size), "bicubic").numpy().clip(0, 255)


def one(value: float, count: int = 4) -> tf.Tensor:
    return tf.fill([count], value)


@pytest.mark.parametrize(
    ("layer", "change"),
    [
        (lambda: keras.layers.RandomRotation((0.07, 0.07)), {"angle": 0.07 * 2 * math.pi}),
        (lambda: keras.layers.RandomZoom((0.15, 0.15)), {"zoom": 1.15}),
        (lambda: keras.layers.RandomZoom((-0.15, -0.15)), {"zoom": 0.85}),
    ],
)
def test_each_part_is_the_layer_of_keras(layer, change):
    images = smooth_images()
    ours = resample(images, one(1.0), one(change.get("angle", 0.0)), one(change.get("zoom", 1.0)))
    theirs = layer()(images, training=True)
    np.testing.assert_allclose(ours, theirs, atol=0.5)


@pytest.mark.parametrize("size", [(48, 48), (40, 56), (7, 7)])
@pytest.mark.parametrize("zoom", [0.01, 0.5, 0.9, 1.0, 1.2, 1.5, 1.99])
@pytest.mark.parametrize("turn", [0.0, 0.06, -0.1, 0.25, 0.4, 0.5])
def test_flip_then_rotation_then_zoom_are_those_of_keras_with_their_borders(turn, zoom, size):
    # A plane is resampled without loss, however often; only the folds of its mirror images are not.
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    images = np.tile(np.stack([x, y, 3 * x - 2 * y], axis=-1), (4, 1, 1, 1))
    turned = keras.layers.RandomRotation((turn, turn))(images[:, :, ::-1], training=True)
    theirs = keras.layers.RandomZoom((zoom - 1, zoom - 1))(turned, training=True)
    ours = resample(tf.constant(images), one(-1.0), one(turn * 2 * math.pi), one(zoom))
    difference = np.abs(ours - theirs)
    assert difference.max() < 3.5  # a fold is rounded off by a part of a pixel
    assert np.median(difference) < 1e-3


def test_nothing_changes_when_every_part_is_off():
    images = smooth_images()
    np.testing.assert_allclose(augment(images, STILL, tf.constant([1, 2])), images, atol=1e-3)


@pytest.mark.parametrize("height", [1, 2, 3, 5])
def test_mirror_images_repeat_as_often_as_a_zoom_asks_for_them(height):
    column = np.arange(height, dtype=np.float32).reshape(1, height, 1, 1)
    ours = resample(tf.constant(column), one(1.0, 1), one(0.0, 1), one(7.0, 1))
    theirs = tf.raw_ops.ImageProjectiveTransformV3(
        images=column,
        transforms=[[1.0, 0.0, 0.0, 0.0, 7.0, -6 * (height - 1) / 2, 0.0, 0.0]],
        output_shape=[height, 1],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_batches_know_the_size_of_their_images_beforehand(variation):
    images = smooth_images(10).astype(np.uint8)
    for augmentation in (None, variation):
        batches = training_batches(images, np.arange(10), 4, 7, range(1), augmentation)
        assert batches.element_spec[0].shape.as_list() == [None, 48, 48, 3]


def test_half_of_the_images_are_flipped():
    images = np.tile(np.arange(8, dtype=np.float32)[None, None, :, None], (400, 4, 1, 1))
    flipped = augment(images, AugmentationParams(flip=True, rotation=0.0, zoom=0.0), tf.constant([1, 2]))
    assert 150 < (flipped.numpy()[:, 0, 0, 0] > 4).sum() < 250


def test_the_seed_decides_the_variant(variation):
    images = smooth_images()
    first, again, other = (augment(images, variation, tf.constant(seed)) for seed in ([1, 2], [1, 2], [1, 3]))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own():
    inputs = np.arange(10, dtype=np.float32)[:, None]
    labels = np.arange(10)
    seen = [y.numpy() for _, y in training_batches(inputs, labels, 4, 7, range(2))]
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert sorted(first) == sorted(second) == list(range(10))
    assert first.tolist() != second.tolist()


def test_an_epoch_is_the_same_whatever_came_before_it(variation):
    images = smooth_images(10).astype(np.uint8)
    labels = np.arange(10)
    both = list(training_batches(images, labels, 4, 7, range(2), variation))
    alone = list(training_batches(images, labels, 4, 7, range(1, 2), variation))
    for (x, y), (again, same) in zip(both[3:], alone, strict=True):
        np.testing.assert_array_equal(x, again)
        np.testing.assert_array_equal(y, same)


def test_validation_images_never_vary():
    images = smooth_images(10).astype(np.uint8)
    batches = list(validation_batches(images, np.arange(10), 4))
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), images.astype(np.float32))
    assert np.concatenate([y for _, y in batches]).tolist() == list(range(10))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sheet_begins_with_the_image_itself(tmp_path, variation, channels):
    from PIL import Image

    image = smooth_images(1)[0, ..., :channels].astype(np.uint8)
    save_sheet(image, variation, 1, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png")).reshape(144, 144, channels)
    np.testing.assert_array_equal(sheet[:48, :48], image)
