"""What the report shows of images and classes: errors, copies, suspects, extremes; bounded, the rest counted."""

import base64
import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.lib.comparison.evaluations import Results, read_results
from stages.lib.images.manifest import read_manifest
from stages.lib.page import classes, findings
from stages.lib.page import data as report_data
from stages.lib.page.errors import gallery
from stages.lib.page.thumbnails import embedded

INPUTS = runpy.run_path(str(Path(__file__).parents[1].joinpath("report_inputs.py")))
NASTY, SKILLS = INPUTS["NASTY"], INPUTS["SKILLS"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return INPUTS["write_inputs"](tmp_path_factory.mktemp("report"), NASTY, [8, 8, 8], SKILLS)


@pytest.fixture(scope="module")
def results(folder) -> Results:
    return read_results(folder / "models", folder / "evaluation")


def predictions_of(folder: Path, model: str) -> pd.DataFrame:
    return pd.read_csv(folder / "evaluation" / model / "predictions.csv", na_filter=False)


def test_the_gallery_has_one_card_per_image_that_a_model_got_wrong(folder, results):
    wrong: dict[str, set[str]] = {}
    for model in SKILLS:
        for path in predictions_of(folder, model).query("label != predicted")["path"]:
            wrong.setdefault(path, set()).add(model)
    found = gallery(results, folder / "data" / "dataset", 99)
    assert {card.path: {answer.model for answer in card.answers} for card in found.cards} == wrong
    assert found.wrong == len(found.cards)
    order = [(-len(card.answers), -card.answers[0].confidence) for card in found.cards]
    assert order == sorted(order)
    for card in found.cards:
        confidences = [answer.confidence for answer in card.answers]
        assert confidences == sorted(confidences, reverse=True)


def test_the_gallery_shows_the_most_confident_mistakes_of_each_model(folder, results):
    found = gallery(results, folder / "data" / "dataset", 1)
    expected = set()
    for one in results.evaluations:
        table = one.predictions.assign(confidence=one.confidence)[~one.right]
        expected |= set(table.sort_values("confidence", ascending=False)["path"].head(1))
    assert {card.path for card in found.cards} == expected
    assert found.wrong > len(found.cards)


def test_copies_with_contradicting_classes_come_first(folder):
    found = findings.copies(folder / "data" / "duplicates.csv", folder / "data" / "raw.zip")
    assert [group.labels for group in found.groups] == [sorted(NASTY[:2]), NASTY[:1]]
    assert (found.contradicting, found.files, found.left_out) == (1, 5, 0)
    file = folder / "data" / "dataset" / "train" / NASTY[0] / "2.png"
    assert found.groups[0].images[0].address == embedded(file)


def test_what_is_too_much_is_counted(folder, results, monkeypatch):
    data = folder / "data"
    monkeypatch.setattr(findings, "GROUPS", 1)
    monkeypatch.setattr(findings, "MEMBERS", 2)
    monkeypatch.setattr(findings, "SUSPECTS", 1)
    monkeypatch.setattr(report_data, "CLASSES", 2)
    monkeypatch.setattr(classes, "ROWS", 2)
    monkeypatch.setattr(classes, "MATRIX", 2)
    copies = findings.copies(data / "duplicates.csv", data / "raw.zip")
    assert (copies.left_out, copies.groups[0].left_out, len(copies.groups[0].images)) == (1, 1, 2)
    suspects = findings.suspects(data / "label_issues.csv", data / "dataset", results)
    assert (len(suspects.images), suspects.total, suspects.in_test) == (1, 2, 1)
    balance = report_data.balance(read_manifest(data / "manifest.csv"))
    assert (len(balance.table), balance.left_out, balance.sums) == (2, 1, {"train": 12, "validation": 6, "test": 24})
    worst = classes.per_class(results.recommended)
    assert worst.left_out == 1
    assert worst.table["f1"].max() <= results.recommended.per_class["f1"].max()
    confusion = classes.confusion(results.evaluations[0])
    assert confusion.matrix is None
    assert confusion.most["images"].is_monotonic_decreasing
    text = re.sub(r"<[^>]*>", "", INPUTS["run_report"](folder, worst=0))
    for words in (
        "1 more group is listed in data/duplicates.csv",
        "report.worst: 0 shows none",
        "3 classes are too many for a matrix",
    ):
        assert words in re.sub(r"\s+", " ", text)


def test_suspects_say_how_many_models_agree(folder, results):
    found = findings.suspects(folder / "data" / "label_issues.csv", folder / "data" / "dataset", results)
    path = f"test/{NASTY[0]}/0.png"
    agreeing = sum(
        predictions_of(folder, model).set_index("path").loc[path, "predicted"] == NASTY[1] for model in SKILLS
    )
    assert [image.row["agreeing"] for image in found.images] == [agreeing, None]


def test_extremes_are_the_darkest_brightest_and_least_sharp(folder):
    manifest = read_manifest(folder / "data" / "manifest.csv")
    found = findings.extremes(manifest, folder / "data" / "dataset")
    by_brightness = manifest.sort_values("brightness")["path"].tolist()
    names = {title: [image.row["path"] for image in images] for title, images in found.items()}
    assert names["Darkest"] == by_brightness[: findings.EXTREMES]
    assert names["Brightest"] == by_brightness[::-1][: findings.EXTREMES]
    assert names["Least sharp"][0] == manifest.sort_values("sharpness")["path"].iloc[0]


def test_sizes_are_counted_and_small_images_are_named(folder):
    manifest = read_manifest(folder / "data" / "manifest.csv")
    sizes = report_data.sizes(manifest, 17)
    assert sizes.common["images"].sum() == len(manifest)
    assert sizes.different == 5
    assert sizes.smaller == len(manifest)  # all are 16 pixels high
    assert report_data.sizes(manifest, 16).smaller == 0
    assert sizes.chart is not None
    assert report_data.sizes(manifest.head(1), 16).chart is None


@pytest.mark.parametrize(("size", "shown"), [((8, 6), (40, 30)), ((30, 20), (30, 20)), ((400, 100), (40, 10))])
def test_images_are_shrunk_and_tiny_ones_enlarged_by_whole_pixels(tmp_path, size, shown):
    file = tmp_path / "image.png"
    Image.fromarray(np.zeros((size[1], size[0], 3), np.uint8)).save(file)
    address = embedded(file, side=40)
    start = "data:image/jpeg;base64,"
    assert address.startswith(start)
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(base64.b64decode(address.removeprefix(start)))
    with Image.open(copy) as image:
        assert image.size == shown
