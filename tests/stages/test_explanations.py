"""Heat lies where the class is decided, follows from the weights, and is written the same every time."""

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.lib import explanations, networks, predictions, saved_model
from stages.lib.explanations import choose, grad_cam, overlay, spread
from stages.lib.inference import probabilities
from stages.lib.pictures import decode

CORNERS = {"upper left": (0, 0), "upper right": (0, 22), "lower left": (22, 0), "lower right": (22, 22)}
SQUARE = 10  # pixels


def picture_with(*squares: tuple[tuple[int, int], tuple[int, ...]]) -> np.ndarray:
    picture = np.zeros((1, 32, 32, len(squares[0][1])), np.uint8)
    for (row, column), color in squares:
        picture[:, row : row + SQUARE, column : column + SQUARE] = color
    return picture


def averaging_convnet(color: str, channels: np.ndarray, classes: int) -> keras.Model:
    """A convnet that only averages: its map is the picture's channels times `channels`, small; the head is unset."""
    model = networks.convnet(32, color, [channels.shape[1]] * 2, True, 0.0, classes)
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
    model = networks.transfer_model(preset, networks.head_layers(8, "tanh", 0.3, classes), 32, "float32")
    # Random features differ little from place to place: large weights make something of it.
    model.get_layer("dense").kernel.assign(30 * model.get_layer("dense").kernel)
    return model


def noise(count: int) -> np.ndarray:
    """Pictures that are bright on the left."""
    pictures = np.random.default_rng(2).integers(0, 256, (count, 32, 32, 3), np.uint8)
    pictures[:, :, 16:] //= 8
    return pictures


def hottest(heat: np.ndarray) -> tuple[int, ...]:
    return tuple(int(place) for place in np.unravel_index(heat.argmax(), heat.shape))


@pytest.mark.parametrize("corner", CORNERS.values(), ids=CORNERS)
def test_heat_is_largest_where_the_class_is_decided(corner):
    model, picture = brightness_model(), picture_with((corner, (255,)))
    heat = spread(model, grad_cam(model, picture))[0]
    assert all(start <= place < start + SQUARE for start, place in zip(corner, hottest(heat), strict=True))
    elsewhere = picture[0, ..., 0] == 0
    assert heat[~elsewhere].mean() > 5 * heat[elsewhere].mean()
    dark = spread(model, grad_cam(model, picture, [0]))[0]
    assert picture[0, ..., 0][hottest(dark)] == 0
    assert dark[elsewhere].mean() > 2 * dark[~elsewhere].mean()


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_each_of_many_classes_has_its_own_heat(precision):
    squares = list(zip(CORNERS.values(), 255 * np.eye(3, dtype=np.uint8), strict=False))
    picture, model = picture_with(*squares), color_model(precision)
    heats = grad_cam(model, np.repeat(picture, 3, axis=0), [0, 1, 2])
    assert heats.dtype == np.float32
    assert (heats.min(), heats.max()) == (0, 1)
    for explained, heat in enumerate(spread(model, heats)):
        assert picture[0, ..., explained][hottest(heat)] == 255


def test_heat_lies_on_the_pixels_that_a_position_sees():
    model = networks.convnet(180, "rgb", [2] * 5, True, 0.0, 2)
    heat = np.zeros((1, 7, 7), np.float32)
    heat[0, 1, 4] = 1  # Sees the pixels from 16 to 93 and from 64 to 141.
    row, column = hottest(spread(model, heat)[0])
    assert abs(row - 54.5) <= 1
    assert abs(column - 102.5) <= 1


def test_the_map_of_a_backbone_covers_the_picture(preset):
    heats = np.zeros((2, 8, 8), np.float32)
    heats[0, 0, 0] = heats[1, 7, 3] = 1
    first, second = spread(transfer_model(preset, 2), heats)
    assert first.shape == (32, 32)
    assert max(hottest(first)) < 4
    assert hottest(second)[0] >= 28
    assert 12 <= hottest(second)[1] < 16


@pytest.mark.parametrize("classes", [2, 3])
def test_under_a_linear_head_it_is_cam(classes):
    keras.utils.set_random_seed(4)
    model = networks.convnet(32, "rgb", [4, 6], True, 0.5, classes)
    pictures = noise(4)
    maps = keras.Model(model.input, model.get_layer("pooling").input)(pictures).numpy()
    kernel = model.get_layer("classifier").kernel.numpy()
    kernel = np.hstack([-kernel, kernel]) if classes == 2 else kernel
    for explained in range(classes):
        cam = np.maximum(maps @ kernel[:, explained], 0)
        highest = cam.max(axis=(1, 2), keepdims=True)
        expected = np.divide(cam, highest, out=np.zeros_like(cam), where=highest > 0)
        np.testing.assert_allclose(grad_cam(model, pictures, [explained] * 4), expected, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_under_any_head_it_is_what_each_position_adds_to_the_logit(preset, classes):
    model, pictures = transfer_model(preset, classes), noise(1)
    maps = keras.Model(model.input, model.get_layer("pooling").input)(pictures).numpy()[0]
    head = networks.head([model.get_layer(name) for name in ("dense", "dropout", "classifier")], maps.shape[-1])
    model.get_layer("classifier").activation = keras.activations.linear

    def logits(varied: np.ndarray) -> np.ndarray:
        found = head(varied.mean(axis=(1, 2))).numpy()
        return np.hstack([-found, found]) if classes == 2 else found

    # One position after the other, made a little stronger and a little weaker.
    height, width, _ = maps.shape
    places = 0.3 * np.eye(height * width).reshape(-1, height, width, 1)
    added = (logits(maps * (1 + places)) - logits(maps * (1 - places))).reshape(height, width, -1)
    heats = grad_cam(model, np.repeat(pictures, classes, axis=0), range(classes))
    assert heats.any()
    for explained, heat in enumerate(heats):
        positive = np.maximum(added[..., explained], 0)
        np.testing.assert_allclose(heat, positive / max(positive.max(), 1e-9), atol=0.01)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_predicted_class_is_explained_unless_told_otherwise(preset, tmp_path, classes):
    model, pictures = transfer_model(preset, classes), noise(6)
    bias = model.get_layer("classifier").bias
    bias.assign([-9.0] + [0.0] * (bias.shape[0] - 1))
    files = [tmp_path / f"{number}.png" for number in range(6)]
    for file, picture in zip(files, pictures, strict=True):
        Image.fromarray(picture).save(file)
    predicted = probabilities(model, files, 3).argmax(axis=1)
    np.testing.assert_array_equal(grad_cam(model, pictures), grad_cam(model, pictures, predicted))
    assert (grad_cam(model, pictures) != grad_cam(model, pictures, (predicted + 1) % classes)).any()


def test_a_saturated_probability_changes_nothing():
    model, picture = color_model(), picture_with(((3, 5), (255, 90, 0)))
    before, classifier = grad_cam(model, picture), model.get_layer("classifier")
    classifier.kernel.assign(10_000 * classifier.kernel)
    assert model(picture).numpy().max() == 1
    np.testing.assert_allclose(grad_cam(model, picture), before, atol=1e-5)


def test_nothing_that_speaks_for_a_class_is_no_heat():
    heat = grad_cam(color_model(), picture_with(((3, 5), (255, 0, 0))), [2])
    np.testing.assert_array_equal(heat, np.zeros_like(heat))


def test_a_picture_is_explained_alike_alone_and_among_others(preset):
    model, pictures = transfer_model(preset, 3), noise(5)
    networks.unfreeze(networks.backbone_of(model), None)
    np.testing.assert_allclose(grad_cam(model, pictures)[2:3], grad_cam(model, pictures[2:3]), atol=1e-4)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_reloaded_model_is_explained_alike(preset, tmp_path, precision):
    model = networks.with_precision(original := transfer_model(preset, 2), precision)
    saved_model.save(model, tmp_path / "model.keras", ["a", "b"])
    loaded, _ = saved_model.load(tmp_path / "model.keras")
    heats = grad_cam(loaded, noise(3), [0, 1, 1])
    assert heats.any()
    np.testing.assert_array_equal(heats, grad_cam(model, noise(3), [0, 1, 1]))
    np.testing.assert_allclose(heats, grad_cam(original, noise(3), [0, 1, 1]), atol=0.1)


@pytest.mark.parametrize("channels", [1, 3])
def test_cold_parts_stay_clear_and_hot_ones_are_colored(channels):
    picture = np.random.default_rng(0).integers(0, 256, (28, 28, channels), np.uint8)
    plain = overlay(picture, np.zeros((4, 4), np.float32), 56)
    expected = Image.fromarray(picture.repeat(3 // channels, axis=2)).resize((56, 56), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(np.asarray(plain), np.asarray(expected))
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 1
    difference = np.abs(np.asarray(overlay(picture, heat, 56), int) - np.asarray(plain, int)).sum(axis=2)
    assert difference[:12, :12].min() > 0
    assert difference[30:, 30:].max() == 0


def predictions_of(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Rows of path, label, probability of b."""
    paths, labels, chances = zip(*rows, strict=True)
    table = predictions.table(paths, ["a", "b"], np.stack([1 - np.array(chances), chances], axis=1))
    return table.assign(label=labels)


def test_the_most_confident_errors_and_typical_hits_of_each_class_are_chosen():
    table = predictions_of(
        *(("a1", "a", 0.01), ("a2", "a", 0.2), ("a3", "a", 0.3), ("a0", "a", 0.4), ("a9", "a", 0.2)),
        *(("b1", "b", 0.99), ("b3", "b", 0.8), ("b2", "b", 0.8), ("b4", "b", 0.6)),
        *(("w1", "a", 0.7), ("w3", "a", 0.9), ("w2", "b", 0.1), ("w4", "b", 0.4)),
    )
    right = (table["label"] == table["predicted"]).to_numpy()
    chosen = choose(table, right, 3)
    assert list(chosen) == ["path", "label", "predicted", "confidence"]
    assert chosen["path"].tolist() == ["w2", "w3", "w1", "a2", "b2", "a9"]
    assert chosen["confidence"].tolist() == pytest.approx([0.9, 0.9, 0.7, 0.8, 0.8, 0.8])
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(choose(shuffled, (shuffled["label"] == shuffled["predicted"]).to_numpy(), 3), chosen)
    assert len(choose(table[right], right[right], 3)) == 3
    assert len(choose(table[~right], right[~right], 9)) == 4


def evaluated(folder, model: keras.Model, classes: list[str]) -> pd.DataFrame:
    dataset, _ = folder
    names = sorted(path.relative_to(dataset).as_posix() for path in dataset.glob("test/*/*.png"))
    table = predictions.table(names, classes, probabilities(model, [dataset / name for name in names], 8))
    return table.assign(label=[name.split("/")[1] for name in names], sha256="0")


def test_the_same_pictures_are_written_with_an_index_each_time(three_classes, tmp_path):
    # Color tells the classes; the names in another order make two of three predictions wrong.
    model = color_model()
    table = evaluated(three_classes, model, ["apple", "plum", "pear"])
    for name in ("one", "two"):
        explanations.write(tmp_path / name, model, three_classes[0], table, 4)
    index = pd.read_csv(tmp_path / "one" / "index.csv")
    assert list(index) == ["file", "path", "label", "predicted", "confidence"]
    wrong = index["label"] != index["predicted"]
    assert wrong.tolist() == [True] * 4 + [False] * 4
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted([*index["file"], "index.csv"])
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    heat = spread(model, grad_cam(model, decode(three_classes[0] / index["path"][0], 32)[np.newaxis]))[0]
    expected = overlay(decode(three_classes[0] / index["path"][0], 32), heat, 160)
    with Image.open(tmp_path / "one" / index["file"][0]) as written:
        assert written.size == (160, 160)
        assert np.abs(np.asarray(written, int) - np.asarray(expected, int)).mean() < 10


def test_none_to_explain_leaves_a_header(three_classes, tmp_path):
    model = color_model()
    table = evaluated(three_classes, model, ["apple", "pear", "plum"])
    explanations.write(tmp_path / "none", model, three_classes[0], table, 0)
    assert [file.name for file in (tmp_path / "none").iterdir()] == ["index.csv"]
    assert (tmp_path / "none" / "index.csv").read_text() == "file,path,label,predicted,confidence\n"
