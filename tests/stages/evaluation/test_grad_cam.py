"""Heat lies where the class is decided, and follows from the weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy.special import logsumexp, softmax

from stages.lib.evaluation.heat import _log_odds, grad_cam, spread
from stages.lib.images.resizing import STRETCH
from stages.lib.inference.forward import probabilities
from stages.lib.networks import build, saved_model
from stages.lib.networks.unfreezing import unfreeze
from tests.stages.explained_models import brightness_model, color_model, transfer_model

CORNERS = {"upper left": (0, 0), "upper right": (0, 22), "lower left": (22, 0), "lower right": (22, 22)}
SQUARE = 10  # pixels


def image_with(*squares: tuple[tuple[int, int], tuple[int, ...]]) -> np.ndarray:
    image = np.zeros((1, 32, 32, len(squares[0][1])), np.uint8)
    for (row, column), color in squares:
        image[:, row : row + SQUARE, column : column + SQUARE] = color
    return image


def noise(count: int) -> np.ndarray:
    """Images that are bright on the left."""
    images = np.random.default_rng(2).integers(0, 256, (count, 32, 32, 3), np.uint8)
    images[:, :, 16:] //= 8
    return images


def hottest(heat: np.ndarray) -> tuple[int, ...]:
    return tuple(int(place) for place in np.unravel_index(heat.argmax(), heat.shape))


@pytest.mark.parametrize("corner", CORNERS.values(), ids=CORNERS)
def test_heat_is_largest_where_the_class_is_decided(corner):
    model, image = brightness_model(), image_with((corner, (255,)))
    heat = spread(model, grad_cam(model, image))[0]
    assert all(start <= place < start + SQUARE for start, place in zip(corner, hottest(heat), strict=True))
    elsewhere = image[0, ..., 0] == 0
    assert heat[~elsewhere].mean() > 5 * heat[elsewhere].mean()
    dark = spread(model, grad_cam(model, image, [0]))[0]
    assert image[0, ..., 0][hottest(dark)] == 0
    assert dark[elsewhere].mean() > 2 * dark[~elsewhere].mean()


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_each_of_many_classes_has_its_own_heat(precision):
    squares = list(zip(CORNERS.values(), 255 * np.eye(3, dtype=np.uint8), strict=False))
    image, model = image_with(*squares), color_model(precision)
    heats = grad_cam(model, np.repeat(image, 3, axis=0), [0, 1, 2])
    assert heats.dtype == np.float32
    assert (heats.min(), heats.max()) == (0, 1)
    for explained, heat in enumerate(spread(model, heats)):
        assert image[0, ..., explained][hottest(heat)] == 255


def test_heat_lies_on_the_pixels_that_a_position_sees():
    model = build.convnet(180, "rgb", [2] * 5, True, 0.0, 2)
    heat = np.zeros((1, 7, 7), np.float32)
    heat[0, 1, 4] = 1  # Sees the pixels from 16 to 93 and from 64 to 141.
    row, column = hottest(spread(model, heat)[0])
    assert abs(row - 54.5) <= 1
    assert abs(column - 102.5) <= 1


def test_the_map_of_a_backbone_covers_the_image(preset):
    heats = np.zeros((2, 8, 8), np.float32)
    heats[0, 0, 0] = heats[1, 7, 3] = 1
    first, second = spread(transfer_model(preset, 2), heats)
    assert first.shape == (32, 32)
    assert max(hottest(first)) < 4
    assert hottest(second)[0] >= 28
    assert 12 <= hottest(second)[1] < 16


@pytest.mark.parametrize("classes", [2, 3])
def test_under_a_linear_head_it_is_cam_of_the_class_less_its_rivals(classes):
    keras.utils.set_random_seed(4)
    model = build.convnet(32, "rgb", [4, 6], True, 0.5, classes)
    images = noise(4)
    maps = keras.Model(model.input, model.get_layer("pooling").input)(images).numpy()
    kernel = model.get_layer("classifier").kernel.numpy()
    kernel = np.hstack([-kernel, kernel]) if classes == 2 else kernel
    found = model(images).numpy()
    found = np.hstack([1 - found, found]) if classes == 2 else found
    for explained in range(classes):
        rivals = np.delete(found, explained, axis=1)
        against = np.delete(kernel, explained, axis=1) @ (rivals / rivals.sum(axis=1, keepdims=True)).T
        cam = np.maximum(np.einsum("nhwc,cn->nhw", maps, kernel[:, [explained]] - against), 0)
        highest = cam.max(axis=(1, 2), keepdims=True)
        expected = np.divide(cam, highest, out=np.zeros_like(cam), where=highest > 0)
        np.testing.assert_allclose(grad_cam(model, images, [explained] * 4), expected, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_under_any_head_it_is_what_each_position_adds_to_the_log_odds(preset, classes):
    model, images = transfer_model(preset, classes), noise(1)
    maps = keras.Model(model.input, model.get_layer("pooling").input)(images).numpy()[0]
    head = build.head([model.get_layer(name) for name in ("dense", "dropout", "classifier")], maps.shape[-1])
    model.get_layer("classifier").activation = keras.activations.linear

    def log_odds(varied: np.ndarray) -> np.ndarray:
        found = head(varied.mean(axis=(1, 2))).numpy()
        if classes == 2:
            return np.hstack([-found, found])
        likely = softmax(found, axis=1)
        return np.log(likely / (1 - likely))

    # One position after the other, made a little stronger and a little weaker.
    height, width, _ = maps.shape
    places = 0.3 * np.eye(height * width).reshape(-1, height, width, 1)
    added = (log_odds(maps * (1 + places)) - log_odds(maps * (1 - places))).reshape(height, width, -1)
    heats = grad_cam(model, np.repeat(images, classes, axis=0), range(classes))
    assert heats.any()
    for explained, heat in enumerate(heats):
        positive = np.maximum(added[..., explained], 0)
        np.testing.assert_allclose(heat, positive / max(positive.max(), 1e-9), atol=0.01)


@pytest.mark.parametrize("classes", [3, 3000])
@pytest.mark.parametrize("highest", [0, 1e4])
def test_log_odds_are_exact_where_a_class_is_sure_and_take_no_square_of_the_classes(classes, highest):
    logits = np.random.default_rng(0).normal(0, 3, (50, classes)).astype(np.float32)
    logits[:, 1] += highest
    head = keras.layers.Dense(classes)
    head.build((None, classes))
    head.set_weights([np.eye(classes), np.zeros(classes)])
    with tf.GradientTape() as tape:
        x = tf.constant(logits)
        tape.watch(x)
        found = _log_odds([head], x)
    expected = logits[:, :3].astype(np.float64)
    for one in range(3):
        expected[:, one] -= logsumexp(np.delete(logits, one, axis=1).astype(np.float64), axis=1)
    np.testing.assert_allclose(found.numpy()[:, :3], expected, rtol=1e-5, atol=1e-4)
    assert np.isfinite(tape.gradient(found, x)).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_the_predicted_class_is_explained_unless_told_otherwise(preset, tmp_path, classes):
    model, images = transfer_model(preset, classes), noise(6)
    bias = model.get_layer("classifier").bias
    bias.assign([-9.0] + [0.0] * (bias.shape[0] - 1))
    files = [tmp_path / f"{number}.png" for number in range(6)]
    for file, image in zip(files, images, strict=True):
        Image.fromarray(image).save(file)
    predicted = probabilities(model, files, 3, resizing=STRETCH).argmax(axis=1)
    np.testing.assert_array_equal(grad_cam(model, images), grad_cam(model, images, predicted))
    assert (grad_cam(model, images) != grad_cam(model, images, (predicted + 1) % classes)).any()


def test_a_saturated_probability_changes_nothing():
    model, image = color_model(), image_with(((3, 5), (255, 90, 0)))
    before, classifier = grad_cam(model, image), model.get_layer("classifier")
    classifier.kernel.assign(10_000 * classifier.kernel)
    assert model(image).numpy().max() == 1
    np.testing.assert_allclose(grad_cam(model, image), before, atol=1e-5)


def test_nothing_that_speaks_for_a_class_is_no_heat():
    heat = grad_cam(color_model(), image_with(((3, 5), (255, 0, 0))), [2])
    np.testing.assert_array_equal(heat, np.zeros_like(heat))


def test_an_image_is_explained_alike_alone_and_among_others(preset):
    model, images = transfer_model(preset, 3), noise(5)
    unfreeze(build.backbone_of(model), None)
    np.testing.assert_allclose(grad_cam(model, images)[2:3], grad_cam(model, images[2:3]), atol=1e-4)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_reloaded_model_is_explained_alike(preset, tmp_path, precision):
    model = build.with_precision(original := transfer_model(preset, 2), precision)
    saved_model.save(model, tmp_path / "model.keras", ["a", "b"])
    loaded, _ = saved_model.load(tmp_path / "model.keras")
    heats = grad_cam(loaded, noise(3), [0, 1, 1])
    assert heats.any()
    np.testing.assert_array_equal(heats, grad_cam(model, noise(3), [0, 1, 1]))
    np.testing.assert_allclose(heats, grad_cam(original, noise(3), [0, 1, 1]), atol=0.1)
