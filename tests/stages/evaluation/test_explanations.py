"""Which images are explained, and that they are written the same every time."""

from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.lib.evaluation import explanations
from stages.lib.evaluation.explanations import choose, overlay
from stages.lib.evaluation.heat import grad_cam, spread
from stages.lib.images.decode import decode
from stages.lib.images.resizing import STRETCH
from stages.lib.inference import predictions
from stages.lib.inference.forward import probabilities
from stages.lib.page import explained
from tests.stages.checksums import checksums
from tests.stages.explained_models import color_model


@pytest.mark.parametrize("channels", [1, 3])
def test_cold_parts_stay_clear_and_hot_ones_are_colored(channels):
    image = np.random.default_rng(0).integers(0, 256, (28, 28, channels), np.uint8)
    plain = overlay(image, np.zeros((4, 4), np.float32), 56)
    expected = Image.fromarray(image.repeat(3 // channels, axis=2)).resize((56, 56), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(np.asarray(plain), np.asarray(expected))
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 1
    difference = np.abs(np.asarray(overlay(image, heat, 56), int) - np.asarray(plain, int)).sum(axis=2)
    assert difference[:12, :12].min() > 0
    assert difference[30:, 30:].max() == 0


def predictions_of(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Rows of path, label, probability of b."""
    paths, labels, probabilities = zip(*rows, strict=True)
    table = predictions.table(paths, ["a", "b"], np.stack([1 - np.array(probabilities), probabilities], axis=1))
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


@pytest.mark.parametrize("asked", [1, 4, 8, 20])
def test_the_report_shows_as_many_as_are_asked_for_or_as_there_are(tmp_path, asked):
    hits = [(f"h{number}", "b", 0.5 + number / 40) for number in range(12)]
    errors = [(f"e{number}", "a", 0.5 + number / 40) for number in range(9)]
    table = predictions_of(*hits, *errors)
    chosen = choose(table, (table["label"] == table["predicted"]).to_numpy(), asked)
    chosen.insert(0, "file", [f"{number}.jpg" for number in range(len(chosen))])
    (tmp_path / "explanations").mkdir()
    for name in chosen["path"]:
        Image.new("RGB", (8, 8)).save(tmp_path / name, "PNG")
    for file in chosen["file"]:
        Image.new("RGB", (8, 8)).save(tmp_path / "explanations" / file)
    manifest = pd.DataFrame({"path": chosen["path"], "width": 8, "height": 8})
    found = explained.explanations(SimpleNamespace(explanations=chosen), tmp_path, tmp_path, manifest)
    right = (table["label"] == table["predicted"]).sum()
    assert {title: len(images) for title, images in found.items()} == {
        "right": min(asked, right),
        "wrong": min(asked, len(table) - right),
    }
    assert [one.path for one in found["wrong"] + found["right"]] == chosen["path"].tolist()


def evaluated(folder, model: keras.Model, classes: list[str]) -> pd.DataFrame:
    dataset, _ = folder
    names = sorted(path.relative_to(dataset).as_posix() for path in dataset.glob("test/*/*.png"))
    table = predictions.table(
        names, classes, probabilities(model, [dataset / name for name in names], 8, resizing=STRETCH)
    )
    return table.assign(label=[name.split("/")[1] for name in names], sha256="0")


def test_the_same_images_are_written_with_an_index_each_time(three_classes, tmp_path):
    # Color tells the classes; the names in another order make two of three predictions wrong.
    model = color_model()
    table = evaluated(three_classes, model, ["apple", "plum", "pear"])
    for name in ("one", "two"):
        explanations.write(tmp_path / name, model, three_classes[0], table, 4, STRETCH)
    index = pd.read_csv(tmp_path / "one" / "index.csv")
    assert list(index) == ["file", "path", "label", "predicted", "confidence"]
    wrong = index["label"] != index["predicted"]
    assert wrong.tolist() == [True] * 4 + [False] * 4
    found = checksums(tmp_path / "one")
    assert sorted(found) == sorted([*index["file"], "index.csv"])
    assert checksums(tmp_path / "two") == found
    heat = spread(model, grad_cam(model, decode(three_classes[0] / index["path"][0], 32)[np.newaxis]))[0]
    expected = overlay(decode(three_classes[0] / index["path"][0], 32), heat, 160)
    with Image.open(tmp_path / "one" / index["file"][0]) as written:
        assert written.size == (160, 160)
        assert np.abs(np.asarray(written, int) - np.asarray(expected, int)).mean() < 10


def test_none_to_explain_leaves_a_header(three_classes, tmp_path):
    model = color_model()
    table = evaluated(three_classes, model, ["apple", "pear", "plum"])
    explanations.write(tmp_path / "none", model, three_classes[0], table, 0, STRETCH)
    assert [file.name for file in (tmp_path / "none").iterdir()] == ["index.csv"]
    assert (tmp_path / "none" / "index.csv").read_text() == "file,path,label,predicted,confidence\n"
