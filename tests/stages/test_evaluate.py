"""A saved model on test pictures, and the page about several."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.evaluate import EvaluateParams, evaluate
from stages.lib.errors import UserError
from stages.lib.evaluations import best
from stages.lib.outputs import disable
from stages.predict import predict
from stages.report import ReportParams, report
from stages.scratch import ScratchParams, scratch

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "enabled": True,
    "epochs": 3,
    "learning_rate": 0.01,
    "schedule": "constant",
    "early_stopping": None,
    "augmentation": None,
    "precision": "float32",
    "color": "rgb",
    "filters": [4, 8],
    "pooling": True,
    "dropout": 0.0,
}
SPLIT = {"unused": 3, "rejected": 1, "exact_duplicates": 2, "near_duplicates": 0, "set_aside": 1}


def run_folder(folder: Path, dataset: tuple[Path, Path], common, variation) -> Path:
    """Two trained models and one that is turned off, all evaluated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, changes in (("scratch", {}), ("scratch_augmented", {"augmentation": variation, "epochs": 1})):
            params = ScratchParams.model_validate(SETTINGS | changes)
            scratch(*dataset, folder / "models" / name, common, params, name)
        disable(folder / "models" / "fine_tuned", "fine_tuned")
        for name in ("scratch", "scratch_augmented", "fine_tuned"):
            evaluate(*dataset, folder / "models" / name, folder / "evaluation" / name, EvaluateParams(batch_size=5))
    return folder


@pytest.fixture(scope="module")
def two(tmp_path_factory, two_classes, common, variation) -> Path:
    return run_folder(tmp_path_factory.mktemp("two_models"), two_classes, common, variation)


@pytest.fixture(scope="module")
def three(tmp_path_factory, three_classes, common, variation) -> Path:
    return run_folder(tmp_path_factory.mktemp("three_models"), three_classes, common, variation)


def write_report(folder: Path, dataset: Path, classes: list[str], **tables: str) -> str:
    counts = {subset: dict.fromkeys(classes, 6) for subset in ("train", "validation", "test")}
    (folder / "split.json").write_text(json.dumps(counts | SPLIT))
    (folder / "rejected.csv").write_text(tables.get("rejected", "path,reason\n"))
    (folder / "duplicates.csv").write_text(tables.get("duplicates", "group,path,class,kind,distance,action\n"))
    inputs = [folder / name for name in ("split.json", "rejected.csv", "duplicates.csv", "models", "evaluation")]
    report(dataset, *inputs, folder / "report.html", folder / "summary.json", ReportParams(worst=4))
    return (folder / "report.html").read_text()


def test_predictions_are_those_of_the_saved_model(two, two_classes):
    import keras

    table = pd.read_csv(two / "evaluation" / "scratch" / "predictions.csv")
    assert list(table) == ["path", "label", "predicted", "p_cat", "p_dog"]
    assert len(table) == 12
    model = keras.saving.load_model(two / "models" / "scratch" / "model.keras")
    for row in table.itertuples():
        picture = np.asarray(Image.open(two_classes[0] / row.path).resize((32, 32), Image.Resampling.BILINEAR))
        assert model(picture[np.newaxis].astype(np.float32)).numpy()[0, 0] == pytest.approx(row.p_dog, abs=1e-4)
        assert row.predicted == ("dog" if row.p_dog > 0.5 else "cat")
    np.testing.assert_allclose(table.p_cat + table.p_dog, 1, atol=1e-6)


def test_metrics_follow_from_the_predictions(three):
    folder = three / "evaluation" / "scratch"
    figures, table = json.loads((folder / "metrics.json").read_text()), pd.read_csv(folder / "predictions.csv")
    right = table.label == table.predicted
    assert figures["accuracy"] == pytest.approx(right.mean())
    assert figures["accuracy_low"] < figures["accuracy"] <= figures["accuracy_high"]
    chance = [row[f"p_{row['label']}"] for _, row in table.iterrows()]
    assert figures["loss"] == pytest.approx(-np.log(chance).mean(), rel=1e-3)
    assert figures["pictures"] == len(table) == 18
    confusion = pd.read_csv(folder / "confusion.csv")
    assert (confusion.actual == confusion.predicted).sum() == right.sum()
    assert len(pd.read_csv(folder / "curves.csv")) == 3


def test_a_model_that_is_turned_off_leaves_files_without_rows(two):
    folder = two / "evaluation" / "fine_tuned"
    assert json.loads((folder / "metrics.json").read_text()) == {}
    for name in ("predictions.csv", "confusion.csv", "roc.csv", "curves.csv"):
        assert len((folder / name).read_text().splitlines()) == 1


def test_the_recommended_model_is_the_best_on_validation_then_the_surest_then_the_cheapest():
    good, sure, poor = ({"val_accuracy": a, "val_loss": b} for a, b in ((0.9, 0.5), (0.9, 0.4), (0.8, 0.1)))
    assert best([("scratch", poor), ("fine_tuned", good)]) == "fine_tuned"
    assert best([("scratch", good), ("fine_tuned", sure)]) == "fine_tuned"
    assert best([("fine_tuned", good), ("scratch", good)]) == "scratch"


def test_the_report_says_what_the_metrics_say(two, two_classes):
    page = write_report(two, two_classes[0], ["cat", "dog"])
    summary = json.loads((two / "summary.json").read_text())
    name = summary["recommended"]
    figures = json.loads((two / "evaluation" / name / "metrics.json").read_text())
    assert summary["accuracy"] == figures["accuracy"]
    assert f"Use {name}: right on {100 * figures['accuracy']:.1f} % of 12 test pictures" in page
    assert page.count("<svg") == 4  # accuracy, ROC, curves of two models
    assert "fine_tuned" not in page
    assert "variants of one picture for scratch_augmented" in page
    wrong = {
        one: pd.read_csv(two / "evaluation" / one / "predictions.csv").query("label != predicted")
        for one in ("scratch", "scratch_augmented")
    }
    assert page.count("labelled <b>") == sum(min(4, len(table)) for table in wrong.values())


def test_the_report_makes_no_request(two, two_classes):
    page = write_report(two, two_classes[0], ["cat", "dog"])
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)|url\(([^)]+)\)""", page)
    assert addresses
    assert all(one.startswith(("data:", "#")) for pair in addresses for one in pair if one)
    assert "<script" not in page


def test_names_of_users_are_escaped(three, three_classes):
    rejected = 'path,reason\n"<b>x</b>.jpg","<script>alert(1)</script>"\n'
    page = write_report(three, three_classes[0], ["apple", "pear", "plum"], rejected=rejected)
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_the_same_results_give_the_same_report(two, two_classes):
    assert write_report(two, two_classes[0], ["cat", "dog"]) == write_report(two, two_classes[0], ["cat", "dog"])


def test_a_report_of_no_model_is_one_clear_error(two, tmp_path):
    (tmp_path / "evaluation" / "scratch").mkdir(parents=True)
    (tmp_path / "evaluation" / "scratch" / "metrics.json").write_text("{}")
    (tmp_path / "models").mkdir()
    with pytest.raises(UserError, match="enabled: true"):
        write_report(tmp_path, tmp_path, [])


@pytest.fixture
def album(two, two_classes, tmp_path, monkeypatch) -> Path:
    """New pictures, one of them broken, beside files that are none; the trained models are at hand."""
    monkeypatch.chdir(two)
    folder = tmp_path / "album"
    (folder / "deeper").mkdir(parents=True)
    for index, file in enumerate(sorted(two_classes[0].rglob("test/*/*.png"))[:3]):
        (folder / "deeper" / f"{index}.png").write_bytes(file.read_bytes())
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of a picture")
    (folder / ".DS_Store").write_bytes(b"x")
    return folder


def test_predict_classifies_a_folder_and_lists_what_is_broken(album):
    table, broken = predict([album, album / "deeper" / "0.png"], None)
    assert [Path(path).name for path in table["path"]] == ["0.png", "1.png", "2.png", "0.png"]
    assert [file.name for file in broken] == ["broken.jpg"]
    np.testing.assert_allclose(table[["p_cat", "p_dog"]].sum(axis=1), 1, atol=1e-6)


def test_predict_agrees_with_the_evaluation(two, two_classes, monkeypatch):
    monkeypatch.chdir(two)
    expected = pd.read_csv(two / "evaluation" / "scratch" / "predictions.csv").set_index("path")
    table, _ = predict([two_classes[0] / "test"], "scratch")
    for row in table.itertuples():
        name = Path(row.path).relative_to(two_classes[0]).as_posix()
        assert row.p_dog == pytest.approx(expected.loc[name, "p_dog"], abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jpg"], r"error: nowhere\.jpg: expected a picture or a folder, found nothing"),
        (["--model", "best", "models"], r"error: --model: expected .*: scratch, scratch_augmented\. Received: 'best'"),
        (["evaluation"], r"error: expected at least one picture, found \d+ files that are none"),
    ],
)
def test_a_mistake_in_predict_is_one_line(two, arguments, message):
    command = [sys.executable, "-m", "stages.predict", *arguments]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(command, cwd=two, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(message + ".*\n", done.stderr)
