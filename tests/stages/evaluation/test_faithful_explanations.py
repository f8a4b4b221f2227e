"""Explanations of tokens against the model itself: what is said to count is what its answer hangs on.

Deletion and insertion (Petsiuk, Das & Saenko 2018): the hottest places are covered first, or shown first, and the
probability of the class falls, or rises, sooner than in random orders.
"""

import keras
import keras_hub
import numpy as np
import pytest

from smallset.explanation.occlusion import occlusion
from stages.lib.evaluation.heat import heat_of, spread
from stages.lib.networks import build, pooling_file, saved_model
from stages.lib.networks.unfreezing import unfreeze
from stages.lib.pretrained import presets
from tests.stages.families import SIDE
from tests.stages.token_families import TOKEN_FAMILIES

CELLS, CELL = 4, SIDE // 4
COUNT = 12
SLOW = [("vit", "cls"), ("sig_lip_vision", "mean"), ("dei_t", "both"), ("dino_v3", "mean"), ("swin", "mean")]


def images_of(count: int, rng: np.random.Generator, covered: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Grey noise with one coloured cell somewhere, whose colour is the class, 1 or 2; of class 0 that cell is covered.

    `covered`: so are others, of half of the images, so that a network that is trained on them knows what that is.
    """
    images, labels = rng.integers(90, 160, (count, SIDE, SIDE, 3)), np.arange(count) % 3
    for image, label in zip(images, labels, strict=True):
        first, *others = rng.permutation(CELLS**2)
        cover(image, first, np.eye(3)[label or rng.integers(1, 3)] * 255)
        hidden = others[: rng.integers(0, CELLS**2)] if covered and rng.random() < 0.5 else []
        mean = image.mean(axis=(0, 1))
        for place in [*hidden, *([] if label else [first])]:
            cover(image, place, mean)
    return images.astype(np.uint8), labels


def cover(image: np.ndarray, place: int, value: np.ndarray) -> None:
    """Give one cell of an image another value, a colour or the pixels of the cell."""
    row, column = (CELL * one for one in divmod(int(place), CELLS))
    image[row : row + CELL, column : column + CELL] = value


def trained_on_cells(family: str, pooling: str, folder) -> keras.Model:
    """A tiny backbone and its head, trained together, saved and loaded."""
    keras.utils.set_random_seed(0)
    preset = folder / "preset"
    preset.mkdir()
    converter = keras_hub.layers.ImageConverter(scale=1 / 127.5, offset=-1.0)
    presets.save((TOKEN_FAMILIES[family](), converter), preset)
    pooling_file.write(preset, pooling)
    model = build.transfer_model(preset, build.head_layers(8, "relu", 0.0, 3), SIDE, "float32")
    unfreeze(build.backbone_of(model), None)
    images, labels = images_of(768, np.random.default_rng(0), covered=True)
    model.compile(keras.optimizers.Adam(0.003, clipnorm=1.0), build.loss(3), metrics=["accuracy"])
    # Some begin to learn later than others; a network that has not learned has nothing to explain.
    for _ in range(10):
        fitted = model.fit(images.astype(np.float32), labels, batch_size=32, epochs=3, verbose=0)
        if fitted.history["accuracy"][-1] > 0.98:
            break
    saved_model.save(model, folder / "model.keras", ["none", "green", "blue"])
    return saved_model.load(folder / "model.keras")[0]


def curve(model: keras.Model, image: np.ndarray, label: int, order: np.ndarray, insert: bool) -> float:
    """Mean probability of the class while cells are covered in an order, or shown in it."""
    blank = np.broadcast_to(image.mean(axis=(0, 1)), image.shape)
    shown = (blank if insert else image).astype(np.float32)
    source = (image if insert else blank).astype(np.float32)
    states = [shown.copy()]
    for place in order:
        row, column = (CELL * one for one in divmod(int(place), CELLS))
        cover(shown, place, source[row : row + CELL, column : column + CELL])
        states.append(shown.copy())
    return float(model(np.stack(states), training=False).numpy()[:, label].mean())


@pytest.mark.parametrize(
    ("family", "pooling"), [("vit", "mean"), *(pytest.param(*one, marks=pytest.mark.slow) for one in SLOW)]
)
def test_the_answer_hangs_on_what_is_hot(family, pooling, tmp_path):
    model = trained_on_cells(family, pooling, tmp_path)
    rng = np.random.default_rng(1)
    images, labels = images_of(COUNT, rng)
    # Nothing in an image speaks for class 0.
    images, labels = images[labels > 0], labels[labels > 0]
    right = model(images.astype(np.float32), training=False).numpy().argmax(axis=1) == labels
    assert right.mean() > 0.9
    heats = spread(model, heat_of(model, images, list(labels)))
    cells = heats.reshape(-1, CELLS, CELL, CELLS, CELL).mean(axis=(2, 4)).reshape(len(images), -1)
    for insert, better in ((False, -1), (True, 1)):
        gains = []
        for image, label, heat in zip(images[right], labels[right], cells[right], strict=True):
            ordered = curve(model, image, label, np.argsort(-heat), insert)
            random = np.mean([curve(model, image, label, rng.permutation(CELLS**2), insert) for _ in range(3)])
            gains.append(better * (ordered - random))
        assert np.mean(gains) > 0.1
        assert np.mean(np.array(gains) > 0) > 0.8


@pytest.mark.parametrize("patch", [1, 8])
@pytest.mark.parametrize("place", [(0, 0), (8, 24), (24, 16)])
def test_what_is_covered_is_what_counts(place, patch):
    images = np.zeros((1, SIDE, SIDE, 1), np.uint8)
    row, column = place
    images[0, row : row + CELL, column : column + CELL] = 255

    def log_odds(some: np.ndarray) -> np.ndarray:
        brightness = some.max(axis=(1, 2))
        return np.hstack([-brightness, brightness])

    light, dark = (occlusion(log_odds, images, np.array([one]), patch)[0] for one in (1, 0))
    cells = len(light)
    assert cells == (4 if patch == 8 else 8)
    hottest = np.array(np.unravel_index(light.argmax(), light.shape)) * SIDE // cells
    assert (abs(hottest - place) < CELL).all()
    assert (light.max(), dark.max()) == (1, 0)
