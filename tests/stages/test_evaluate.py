"""A saved model on test images, and on new ones."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import smallset
from smallset.inference.decisions import ALWAYS
from stages.classifier import ClassifierPaths, classifier
from stages.decisions import DecisionsPaths, decisions
from stages.evaluate import EvaluateParams, evaluate
from stages.lib.comparison.evaluations import read_results
from stages.lib.core.decision_sections import DecisionsParams
from stages.lib.core.errors import UserError
from stages.lib.core.model_sections import ClassifierParams
from stages.lib.core.outputs import disable
from stages.lib.deciding import choosing, distances, limits
from stages.lib.deciding.chosen import Chosen, read_chosen
from stages.lib.deciding.vectors import Seen
from stages.lib.inference.predictions import probabilities_of
from stages.predict import predict
from stages.scratch import ScratchParams, scratch
from tests.stages.bundle_inputs import REPORT
from tests.stages.head_params import HEAD

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "enabled": True,
    "epochs": 3,
    "learning_rate": 0.01,
    "schedule": "constant",
    "min_steps": None,
    "early_stopping": None,
    "class_weights": None,
    "mirror": False,
    "augmentation": None,
    "precision": "float32",
    "color": "rgb",
    "filters": [4, 8],
    "pooling": True,
    "dropout": 0.0,
}


DECISIONS = DecisionsParams(
    enabled=True, criterion="accuracy", of_class=None, recall=0.95, costs={}, accuracy=0.95, keep=0.99
)


def run_folder(folder: Path, dataset: tuple[Path, Path], common, variation) -> Path:
    """Two trained models and one that is turned off, all evaluated."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, changes in (("scratch", {}), ("scratch_augmented", {"augmentation": variation, "epochs": 1})):
            params = ScratchParams.model_validate(SETTINGS | changes)
            scratch(*dataset, folder / "models" / name, common, params, name)
        disable(folder / "models" / "fine_tuned", "fine_tuned")
        for name in ("scratch", "scratch_augmented", "fine_tuned"):
            params = EvaluateParams(batch_size=5, explained=1)
            outputs = folder / "evaluation" / name, folder / "metrics" / f"{name}.json"
            evaluate(*dataset, folder / "models" / name, *outputs, common, params)
        (folder / "summary.json").write_text(json.dumps(REPORT))
        # No features and no backbone are read where no head is fitted again.
        unread = folder / "nothing"
        paths = ClassifierPaths(
            summary=folder / "summary.json",
            models=folder / "models",
            features=unread,
            manifest=dataset[1],
            duplicates=unread,
            preset=unread,
            evaluations=folder / "evaluation",
            decisions=folder / "models" / "fine_tuned",
            output=folder / "models" / "classifier",
        )
        classifier(paths, common, HEAD, ClassifierParams(refit="all"))
    return folder


@pytest.fixture(scope="module")
def two(tmp_path_factory, two_classes, common, variation) -> Path:
    return run_folder(tmp_path_factory.mktemp("two_models"), two_classes, common, variation)


@pytest.fixture(scope="module")
def three(tmp_path_factory, three_classes, common, variation) -> Path:
    return run_folder(tmp_path_factory.mktemp("three_models"), three_classes, common, variation)


def test_predictions_are_those_of_the_saved_model(two, two_classes):
    import keras

    table = pd.read_csv(two / "evaluation" / "scratch" / "predictions.csv")
    assert list(table) == ["path", "sha256", "label", "predicted", "p_cat", "p_dog"]
    assert len(table) == 12
    manifest = pd.read_csv(two_classes[1], dtype=str).set_index("path")
    assert table["sha256"].tolist() == manifest.loc[table["path"], "sha256"].tolist()
    model = keras.saving.load_model(two / "models" / "scratch" / "model.keras")
    for row in table.itertuples():
        image = np.asarray(Image.open(two_classes[0] / row.path).resize((32, 32), Image.Resampling.BILINEAR))
        assert model(image[np.newaxis].astype(np.float32)).numpy()[0, 0] == pytest.approx(row.p_dog, abs=1e-4)
        assert row.predicted == ("dog" if row.p_dog > 0.5 else "cat")
    np.testing.assert_allclose(table.p_cat + table.p_dog, 1, atol=1e-6)


def test_how_fast_a_model_is_here_is_noted_for_the_page_of_the_run(two):
    folder = two / ".smallset" / "speed"
    assert {file.name for file in folder.iterdir()} == {"scratch.json", "scratch_augmented.json"}
    noted = json.loads((folder / "scratch.json").read_text())
    assert noted["model"] == hashlib.sha256((two / "models" / "scratch" / "model.keras").read_bytes()).hexdigest()
    assert 0 < noted["milliseconds"] < 10_000


def test_metrics_and_tables_follow_from_the_predictions(three, three_classes):
    folder = three / "evaluation" / "scratch"
    figures, table = json.loads((folder / "figures.json").read_text()), pd.read_csv(folder / "predictions.csv")
    right = table.label == table.predicted
    assert figures["accuracy"] == pytest.approx(right.mean())
    assert figures["balanced_accuracy"] == pytest.approx(right.groupby(table.label).mean().mean())
    probabilities = table[["p_apple", "p_pear", "p_plum"]].to_numpy()
    truth = np.stack([table.label == name for name in ("apple", "pear", "plum")], axis=1)
    assert figures["log_loss"] == pytest.approx(-np.log(probabilities[truth]).mean(), rel=1e-3)
    assert figures["brier"] == pytest.approx(((probabilities - truth) ** 2).sum(axis=1).mean(), rel=1e-3)
    assert figures["images"] == len(table) == 18
    for name in ("accuracy", "balanced_accuracy", "roc_auc", "average_precision"):
        assert figures[f"{name}_low"] <= figures[name] <= figures[f"{name}_high"]
    confusion = pd.read_csv(folder / "confusion.csv")
    assert (confusion.actual == confusion.predicted).sum() == right.sum()
    assert len(pd.read_csv(folder / "curves.csv")) == 3
    assert pd.read_csv(folder / "per_class.csv")["images"].tolist() == [6, 6, 6]
    calibration = pd.read_csv(folder / "calibration.csv")
    assert calibration["images"].sum() == 18
    assert (calibration["images"] * calibration["accuracy"]).sum() == pytest.approx(right.sum(), abs=1e-3)
    explained = pd.read_csv(folder / "explanations" / "index.csv")
    assert (folder / "explanations" / explained["file"][0]).is_file()


def test_metrics_are_the_few_figures_that_a_review_decides_by(two):
    figures = json.loads((two / "evaluation" / "scratch" / "figures.json").read_text())
    metrics = json.loads((two / "metrics" / "scratch.json").read_text())
    assert list(metrics) == ["accuracy", "balanced_accuracy", "ece", "log_loss", "roc_auc"]
    assert metrics.items() <= figures.items()


def test_the_validation_images_are_measured_as_in_training(two):
    figures = json.loads((two / "evaluation" / "scratch" / "figures.json").read_text())
    summary = json.loads((two / "models" / "scratch" / "summary.json").read_text())
    assert figures["validation_accuracy"] == summary["val_accuracy"]
    # Both classes have six validation images: then balanced accuracy is accuracy.
    assert figures["validation_balanced_accuracy"] == pytest.approx(summary["val_accuracy"])


def test_the_predictions_of_the_validation_images_are_kept_for_the_choice(two, two_classes):
    table = pd.read_csv(two / "evaluation" / "scratch" / "validation_predictions.csv")
    assert list(table) == ["path", "sha256", "label", "predicted", "p_cat", "p_dog"]
    manifest = pd.read_csv(two_classes[1], dtype=str)
    expected = manifest[manifest["subset"] == "validation"]
    assert (
        table[["path", "sha256", "label"]].to_numpy().tolist()
        == expected[["path", "sha256", "class"]].to_numpy().tolist()
    )
    figures = json.loads((two / "evaluation" / "scratch" / "figures.json").read_text())
    assert (table["label"] == table["predicted"]).mean() == pytest.approx(figures["validation_accuracy"])


def test_figures_of_validation_are_of_its_own_images_and_classes(two, two_classes, common, tmp_path, monkeypatch):
    """Two cats fewer, and three that are called dogs: neither the test images nor the classes are the same."""
    monkeypatch.chdir(tmp_path)
    manifest = pd.read_csv(two_classes[1], dtype=str)
    cats = manifest.index[(manifest["subset"] == "validation") & (manifest["class"] == "cat")]
    manifest.loc[cats[2:5], "class"] = "dog"
    manifest.drop(cats[:2]).to_csv("manifest.csv", index=False)
    given = two_classes[0], Path("manifest.csv"), two / "models" / "scratch", Path("evaluation"), Path("metrics.json")
    evaluate(*given, common, EvaluateParams(batch_size=5, explained=1))
    figures, before = (
        json.loads((folder / "figures.json").read_text()) for folder in (Path("evaluation"), two / "evaluation/scratch")
    )
    assert figures["accuracy"] == before["accuracy"]
    table = pd.read_csv("evaluation/validation_predictions.csv")
    right = table["label"] == table["predicted"]
    assert len(table) == 10
    assert figures["validation_accuracy"] == pytest.approx(right.mean())
    assert figures["validation_balanced_accuracy"] == pytest.approx(right.groupby(table["label"]).mean().mean())
    own = table["p_cat"].where(table["label"] == "cat", table["p_dog"])
    assert figures["validation_loss"] == pytest.approx(-np.log(own).mean(), rel=1e-2)


def test_probabilities_that_are_no_numbers_are_an_error_and_no_first_class(two, two_classes, common, tmp_path):
    from stages.lib.networks import saved_model

    shutil.copytree(two / "models" / "scratch", tmp_path / "model")
    file = tmp_path / "model" / "model.keras"
    network, classes = saved_model.load(file)
    network.layers[-1].set_weights([weight * np.nan for weight in network.layers[-1].get_weights()])
    saved_model.save(network, file, classes, saved_model.resizing_of(file))
    with pytest.raises(
        UserError, match=r"expected finite probabilities, found others for 12 of 12 images, such as test"
    ):
        evaluate(
            *(*two_classes, tmp_path / "model", tmp_path / "evaluation", tmp_path / "metrics.json", common),
            EvaluateParams(batch_size=5, explained=1),
        )
    assert not (tmp_path / "evaluation").exists()


def test_a_model_of_other_classes_is_not_measured(two, two_classes, common, tmp_path):
    """`dvc repro --single-item` takes an old model: its first class would be taken for that of the images now."""
    renamed = pd.read_csv(two_classes[1], dtype=str).replace({"class": {"dog": "ant"}})
    renamed.to_csv(tmp_path / "manifest.csv", index=False)
    dataset, model = (two_classes[0], tmp_path / "manifest.csv"), two / "models" / "scratch"
    outputs, params = (tmp_path / "evaluation", tmp_path / "metrics.json"), EvaluateParams(batch_size=5, explained=1)
    with pytest.raises(UserError, match=r"scratch: expected the classes of the images: ant, cat. Received: cat, dog"):
        evaluate(*dataset, model, *outputs, common, params)
    assert not any(file.exists() for file in outputs)
    with pytest.raises(UserError, match=r"scratch: expected the classes of the images: ant, cat. Received: cat, dog"):
        Seen(model, *dataset, None)


def test_a_model_that_is_turned_off_leaves_files_without_rows(two):
    on, off = (two / "evaluation" / name for name in ("scratch", "fine_tuned"))
    assert json.loads((off / "figures.json").read_text()) == {}
    assert json.loads((two / "metrics" / "fine_tuned.json").read_text()) == {}
    tables = [file.relative_to(on) for file in on.rglob("*.csv")]
    assert len(tables) == 8
    for table in tables:
        [header] = (off / table).read_text().splitlines()
        # The columns of the probabilities are named after classes, which nobody knows here.
        assert (on / table).read_text().startswith(header)


def test_the_classifier_is_the_recommended_model(two):
    for file in ("model.keras", "summary.json"):
        assert (two / "models" / "classifier" / file).read_bytes() == (two / "models" / "scratch" / file).read_bytes()


def test_a_bundle_predicts_what_keras_does(two, two_classes, monkeypatch):
    monkeypatch.chdir(two)
    files = sorted(two_classes[0].rglob("test/*/*.png"))
    table, broken = predict(files)
    assert not broken
    assert table.equals(predict(files, "scratch")[0])
    np.testing.assert_allclose(table[["p_cat", "p_dog"]].sum(axis=1), 1, atol=1e-6)
    found = smallset.load(two).predict(files).table()
    assert (found["path"], found["predicted"]) == (list(table["path"]), list(table["predicted"]))
    np.testing.assert_allclose(found["p_dog"], table["p_dog"], atol=1e-5)


def test_predict_agrees_with_the_evaluation(two, two_classes, monkeypatch):
    monkeypatch.chdir(two)
    expected = pd.read_csv(two / "evaluation" / "scratch" / "predictions.csv").set_index("path")
    table, _ = predict(sorted((two_classes[0] / "test").rglob("*.png")), "scratch")
    for row in table.itertuples():
        name = Path(row.path).relative_to(two_classes[0]).as_posix()
        assert row.p_dog == pytest.approx(expected.loc[name, "p_dog"], abs=1e-5)


def test_a_model_without_a_bundle_is_run_by_keras_with_all_that_predict_does(two, two_classes, tmp_path):
    """From another directory, by its name in the project; a broken image is left out, and the exit code says so."""
    files = sorted(two_classes[0].rglob("test/*/*.png"))[:2]
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of an image")
    command = [sys.executable, "-m", "flows.cli", "predict", "--model", "scratch", "--output", "found.jsonl"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SMALLSET_PROJECT": str(two)}
    (two / "stages").symlink_to(ROOT / "stages")
    done = subprocess.run(
        [*command, "broken.jpg", *files], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 9, done.stderr
    assert "by Keras, which takes seconds to start: this model is no bundle" in done.stderr
    assert "left out: broken.jpg: " in done.stderr
    rows = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert [row["path"] for row in rows] == list(map(str, files))
    table, _ = predict_in(two, files)
    for row, expected in zip(rows, table["p_dog"], strict=True):
        assert row["probabilities"]["dog"] == pytest.approx(expected, abs=1e-5)


def predict_in(project, files):
    with contextlib.chdir(project):
        return predict(files, "scratch")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jpg"], r"error: nowhere\.jpg: expected an image or a folder, found nothing"),
        (
            ["--model", "best", "models/scratch/model.keras"],
            r"error: --model: expected .*: classifier, scratch, scratch_augmented\. Received: best",
        ),
    ],
)
def test_a_mistake_in_predict_is_one_line(two, arguments, message):
    command = [sys.executable, "-m", "stages.predict", *arguments]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(command, cwd=two, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(message + ".*\n", done.stderr)


def test_a_batch_is_no_larger_than_there_are_images(two, two_classes):
    """It is filled up for the compiled pass; `evaluate.batch_size` far above all images would take all memory."""
    from stages.lib.images.resizing import STRETCH
    from stages.lib.inference.forward import probabilities
    from stages.lib.networks.saved_model import load

    model, _ = load(two / "models" / "scratch" / "model.keras")
    files = sorted((two_classes[0] / "test").rglob("*.png"))
    many = probabilities(model, files, 10**9, resizing=STRETCH)
    assert many == pytest.approx(probabilities(model, files, len(files), resizing=STRETCH))


def test_decisions_are_those_of_the_recommended_model(two, two_classes, common, tmp_path, capsys):
    """Of a convnet, whose features are computed; so few images make no limit, and that is said."""
    paths = DecisionsPaths(*two_classes, two / "nothing", two / "models", two / "evaluation", tmp_path / "decisions")
    decisions(paths, common, DECISIONS)
    about = {"stage": read_results(paths.models, paths.evaluations).recommended.name, "classes": ["cat", "dog"]}
    found = read_chosen(paths.output, about)
    figures = json.loads((paths.output / "figures.json").read_text())
    assert (found.decisions.unsure_below, found.decisions.unknown_above) == (ALWAYS, None)
    assert [reason.partition(":")[0] for reason in found.decisions.reasons] == [
        "every image is called unsure",
        "no image is called unknown",
    ]
    assert f"decisions: {found.decisions.reasons[0]}" in capsys.readouterr().out
    assert (figures["images"], figures["sure"]["share"], len(figures["foreign"])) == (12, 0, 3)
    assert found.distance.points.shape[0] == len(list(two_classes[0].rglob("train/*/*.png")))
    table = pd.read_csv(paths.output / "answers.csv", na_filter=False)
    assert (len(table), set(table["decision"])) == (12, {"unsure"})
    with pytest.raises(UserError, match="expected limits of other, found those of "):
        read_chosen(paths.output, about | {"stage": "other"})
    decisions(paths, common, DECISIONS.model_copy(update={"enabled": False}))
    for subset, name in (("validation", "validation_predictions.csv"), ("test", "predictions.csv")):
        unsorted = shutil.copytree(two / "evaluation", tmp_path / subset)
        for file in unsorted.glob(f"*/{name}"):
            pd.read_csv(file).iloc[::-1].to_csv(file, index=False)
        with pytest.raises(UserError, match=f"expected predictions of the {subset} images as they are now"):
            decisions(replace(paths, evaluations=unsorted), common, DECISIONS)
    assert read_chosen(paths.output, about) == Chosen(None, None)


@pytest.mark.parametrize("kind", ["mlp", "logistic"])
def test_decisions_are_chosen_on_validation_images_and_measured_on_test_images(
    kind, two, two_classes, common, tmp_path
):
    """A linear head is calibrated by its own folds: its probabilities get no temperature here, however sure it is."""
    for name in ("models", "evaluation"):
        shutil.copytree(two / name, tmp_path / name)
    name = read_results(two / "models", two / "evaluation").recommended.name
    file = tmp_path / "models" / name / "summary.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"head": {"kind": kind}}))
    file = tmp_path / "evaluation" / name / "validation_predictions.csv"
    table, is_wrong = pd.read_csv(file), np.arange(12) % 6 == 0
    sure = np.where((table["label"] == "dog") ^ is_wrong, 0.99999, 0.00001)
    table.assign(p_dog=sure, p_cat=1 - sure).to_csv(file, index=False)
    paths = DecisionsPaths(
        *two_classes, two / "nothing", tmp_path / "models", tmp_path / "evaluation", tmp_path / "decisions"
    )
    asked = DECISIONS.model_copy(update={"accuracy": 0.6, "keep": 0.9})
    decisions(paths, common, asked)
    found = read_chosen(paths.output, {"stage": name, "classes": ["cat", "dog"]}).decisions
    seen = Seen(paths.models / name, *two_classes, None)
    distance = distances.fitted(seen.train, common.seed)
    assert (found.temperature > 1) == (kind == "mlp")
    known = limits.unknown_above(distance.of(seen.validation), 0.9)[0]
    assert found.unknown_above == pytest.approx(known, rel=1e-5)
    answers = pd.read_csv(paths.output / "answers.csv")
    tested = pd.read_csv(paths.evaluations / name / "predictions.csv")
    assert answers["path"].tolist() == tested["path"].tolist()
    assert answers["distance"].to_numpy() == pytest.approx(distance.of(seen.test), rel=1e-5)
    told = choosing.tempered(probabilities_of(tested), found.temperature)
    assert answers["probability"].to_numpy() == pytest.approx(told.max(axis=1), rel=1e-5)
