"""`flows.retraining.gate`: whether a new model takes the place of the one in use, by the real comparison."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.project.git import resolve
from flows.registry import gto, publish, saved_runs
from flows.registry.saved_runs import Workspace
from flows.retraining import gate, known_images, rivals
from tests.flows.versions_project import (
    STAGES,
    commit_source,
    make_project,
    remote,
    repro,
    retrain,
    saved,
    write_source,
)

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def used(homes, tmp_path_factory) -> Path:
    """A project whose model is right on 160 of 200 images, and in use, with the real `stages.compare`."""
    project = make_project(tmp_path_factory.mktemp("gate") / "project")
    shutil.copy(ROOT / "stages" / "compare.py", project / "stages")
    # The toy has other sections than the real project.
    other = shutil.ignore_patterns("section_checks.py", "__pycache__")
    shutil.copytree(ROOT / "stages" / "lib", project / "stages" / "lib", ignore=other)
    repro(project, 0.8)
    record = {"id": "1", "source": resolve("HEAD", project)}
    gto.promote(saved_runs.save(record, Workspace(project, "main"), "Run 1").commit, "first", project)
    return project


@pytest.fixture
def decide(used, monkeypatch):
    """What the gate says of a model of this accuracy."""
    monkeypatch.chdir(used)

    def decided(accuracy: float, present: gto.Promotion | None, **more) -> gate.Decision:
        write_source(used, accuracy, **more)
        for stage in STAGES.values():
            subprocess.run(stage["cmd"], shell=True, check=True)
        summary = json.loads(Path("report/summary.json").read_text())
        return gate.decide(present, summary, gate.read_gate())

    return decided


def test_a_first_model_needs_no_comparison(decide):
    found = decide(0.5, None)
    assert (found.promote, found.comparison) == (True, None)
    assert found.reason == "the first model in use; accuracy 0.5000, expected at least 0.5"


def test_a_model_below_the_minimum_is_rejected_even_as_the_first(decide):
    found = decide(0.495, None)
    assert (found.promote, found.reason) == (False, "accuracy 0.4950 is below gate.min_accuracy 0.5")


@pytest.mark.parametrize(
    ("accuracy", "word", "verdict"),
    [
        (0.95, "promoted", "better"),
        (0.8, "promoted", "no difference shown"),
        (0.79, "promoted", "no difference shown"),
        (0.78, "undecided", "no difference shown"),
        (0.6, "rejected", "worse"),
    ],
)
def test_a_model_is_promoted_that_is_shown_to_be_hardly_worse(decide, used, accuracy, word, verdict):
    present = gto.in_use(used)
    found = decide(accuracy, present)
    assert (found.word, found.promote, found.is_best) == (word, word == "promoted", accuracy == 0.95)
    assert (found.comparison["recommended"]["lower_bound"] > -0.03) is (word == "promoted")
    assert found.comparison["recommended"]["verdict"] == verdict
    assert found.comparison["recommended"]["before"]["accuracy"]["value"] == 0.8
    assert found.comparison["recommended"]["after"]["accuracy"]["value"] == accuracy
    assert found.comparison["before"]["name"] == "v1.0.0"
    assert found.reason.startswith(found.comparison["verdict"])
    assert ("Cannot decide with these test images, about " in found.reason) is (word == "undecided")
    assert not (used / ".smallset" / "gate").exists()


def test_a_model_that_loses_the_rare_class_is_not_promoted_though_it_is_as_often_right(decide, used, monkeypatch):
    # 40 cats and 360 dogs: the model in use finds nine of ten of each, the new one says "dog".
    monkeypatch.setenv("TOY_IMAGES", "400")
    monkeypatch.setenv("TOY_CATS", "40")
    present = gto.in_use(used)
    monkeypatch.setenv("TOY_WRONG", "0-4,40-76")
    monkeypatch.setenv("TOY_WRONG_CLASSIFIER", "0-4,40-76")
    assert decide(0.9, present).comparison["recommended"]["verdict"] == "no difference shown"
    monkeypatch.setenv("TOY_WRONG", "0-40")
    found = decide(0.9, present)
    assert (found.promote, found.comparison["measure"]) == (False, "balanced_accuracy")
    assert "Worse: the recommended classifier had a balanced accuracy of 90.0 % (v1.0.0)" in found.reason


def test_every_decision_says_the_cautions_of_the_report(decide, used):
    present = gto.in_use(used)
    decide(0.95, present)
    summary = json.loads(Path("report/summary.json").read_text()) | {"cautions": ["Only 9 images.", "All tie."]}
    said = ". Caution: Only 9 images. Caution: All tie."
    for one in (None, present):
        found = gate.decide(one, summary, gate.read_gate())
        assert found.promote
        assert found.reason.endswith(said)
        assert ".." not in found.reason
    rejected = gate.decide(present, summary | {"accuracy": 0.1}, gate.read_gate())
    assert (rejected.promote, rejected.reason.endswith(said)) == (False, True)


def test_other_classes_are_for_a_person_to_decide(decide, used):
    found = decide(0.95, gto.in_use(used), classes=["bird", "cat", "dog"])
    assert found.word == "undecided"
    assert "v1.0.0 in use knows the classes cat, dog, the new model bird, cat, dog" in found.reason


def test_test_images_that_nothing_compares_are_one_line(decide, used, monkeypatch):
    monkeypatch.setenv("TOY_IMAGES", "100")
    decide(0.9, None)
    monkeypatch.delenv("TOY_IMAGES")
    with pytest.raises(FlowError, match=r"^compare of the model in use: the test images differ: [^\n]*$"):
        gate.decide(gto.in_use(used), {"accuracy": 0.9}, gate.read_gate())


def test_a_missing_section_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("train: 1\n")
    with pytest.raises(FlowError, match=r"^params\.yaml: expected a section 'gate'$"):
        gate.read_gate()


@pytest.mark.usefixtures("prefect_server", "impatient")
def test_a_model_in_use_that_cannot_be_fetched_leaves_the_decision_to_a_later_run(project, site, tmp_path):
    repro(project, 0.8)
    record = {"id": "1", "source": resolve("HEAD", project), "outcome": "trained"}
    gto.promote(saved_runs.save(record, Workspace(project, "main"), "Run 1").commit, "first", project)
    publish.publish(Workspace(project, "main"))
    storage, away = project.with_name("project-storage"), tmp_path / "away"
    storage.rename(away)
    storage.touch()
    commit_source(project, 0.9)
    name, message = retrain(project)
    # What cannot be fetched cannot be pushed either.
    assert name == "NotPushed"
    assert "undecided: models/classifier of" in message
    storage.unlink()
    away.rename(storage)
    assert retrain(project)[0] == "Promoted"
    assert saved(project) == [("up to date", "promoted"), ("trained", "undecided"), ("trained", None)]
    assert [post["event"] for post in site.posts] == ["undecided", "not_pushed", "promoted"]
    assert gto.in_use(remote(project)).version == "v1.1.0"


@pytest.mark.parametrize(
    ("value", "low", "headline", "word"),
    [
        # 100 of 200 are cats: guessing is right on half.
        (0.6, 0.53, "accuracy", "promoted"),
        (0.52, 0.45, "accuracy", "undecided"),
        (0.5, 0.43, "accuracy", "rejected"),
        (0.6, 0.51, "balanced_accuracy", "promoted"),
        (0.4, 0.3, "balanced_accuracy", "rejected"),
    ],
)
def test_a_minimum_by_itself_relates_to_guessing(decide, value, low, headline, word):
    decide(0.9, None)
    summary = {"recommended": "x", "headline": headline, headline: value, f"{headline}_low": low}
    found = gate.decide(None, summary, gate.read_gate() | {"min_accuracy": "auto"})
    assert found.word == word
    assert ("0.5000 (gate.min_accuracy: auto)" in found.reason.replace(", with these test images", "")) is (
        word != "promoted"
    )


def test_guessing_is_the_largest_class_or_one_of_so_many():
    rows = [{"label": label} for label in "aaab"]
    assert known_images.chance(rows, "accuracy") == 0.75
    assert known_images.chance(rows, "balanced_accuracy") == 0.5


def test_a_model_trained_again_is_judged_by_the_one_that_was_measured(decide):
    """What is deployed may have learnt from the test images, and would be right on all of them."""
    decide(0.8, None)
    present = gto.in_use()
    assert present
    deployed = Path(".smallset/gate") / present.version / "models" / "classifier"
    shutil.copytree("models/classifier", deployed / rivals.MEASURED)
    shutil.copytree(deployed / rivals.MEASURED, deployed, dirs_exist_ok=True)
    source = json.loads((deployed / "model.keras").read_text())
    (deployed / "model.keras").write_text(json.dumps(source | {"accuracy": 1.0}))
    try:
        assert rivals.compare(present)["recommended"]["difference"]["value"] == 0
    finally:
        shutil.rmtree(".smallset/gate")


@pytest.fixture(scope="module")
def fallen(used) -> gto.Promotion:
    """A later model in use, right on 120 images: 40 fewer than the first, which nothing after it was shown to beat."""
    repro(used, 0.6)
    record = {"id": "2", "source": resolve("HEAD", used), "decision": "promoted", "is_best": False}
    present = gto.in_use(used)
    assert present
    return replace(present, version="v1.1.0", commit=saved_runs.save(record, Workspace(used, "main"), "Run 2").commit)


@pytest.mark.parametrize(
    ("accuracy", "word", "is_best"), [(0.95, "promoted", True), (0.8, "promoted", False), (0.78, "undecided", False)]
)
def test_small_losses_do_not_add_up(decide, fallen, accuracy, word, is_best):
    """Each is better by many points than the model in use; not so beside the best before."""
    found = decide(accuracy, fallen)
    assert found.comparison["recommended"]["verdict"] == "better"
    assert (found.comparison["before"]["name"], found.beside["before"]["name"]) == ("v1.1.0", "v1.0.0")
    assert (found.word, found.is_best) == (word, is_best)
    assert " points beside v1.1.0, " in found.reason
    assert " points beside v1.0.0, with 95 % confidence" in found.reason


def test_a_model_that_is_worse_than_the_best_before_is_rejected_though_it_is_better_than_the_one_in_use(decide, fallen):
    found = decide(0.7, fallen)
    assert found.comparison["recommended"]["verdict"] == "better"
    assert (found.word, found.beside["recommended"]["verdict"]) == ("rejected", "worse")
    assert found.reason.startswith(found.beside["verdict"])
    summary = json.loads(Path("report/summary.json").read_text())
    alone = gate.decide(fallen, summary, gate.read_gate() | {"anchor": "present"})
    assert (alone.word, alone.beside, alone.is_best) == ("promoted", None, True)
