"""`flows.run.results`: the headline, and each model beside the recommended one."""

import json
from pathlib import Path

import pytest

from flows.cli.tables import show_models
from flows.project.records import SUMMARY
from flows.run import results
from flows.run.results import (
    BALANCED,
    COMPARISONS,
    Results,
    headline,
    headline_and_verdict,
    read_summary,
    read_verdicts,
)

FULL = {
    "recommended": "fine_tuned",
    "headline": "accuracy",
    "accuracy": 0.978,
    "accuracy_low": 0.9706,
    "accuracy_high": 0.98357,
    "balanced_accuracy": 0.91,
    "balanced_accuracy_low": 0.885,
    "balanced_accuracy_high": 0.93,
    "images": 2000,
    "verdict": "better than scratch",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    SUMMARY.parent.mkdir()


@pytest.mark.parametrize(
    ("summary", "line"),
    [
        (FULL, "use fine_tuned: 97.8 % (97.1 to 98.4 %) of 2,000 test images"),
        (
            FULL | {"headline": BALANCED},
            "use fine_tuned: balanced accuracy 91.0 % (88.5 to 93.0 %) on 2,000 test images",
        ),
        ({"recommended": "scratch", "accuracy": 0.5, "accuracy_low": None}, "use scratch: 50.0 % of the test images"),
        (
            FULL | {"advice": "do not use", "accuracy": 0.5, "accuracy_low": 0.35, "accuracy_high": 0.65, "images": 1},
            "do not use fine_tuned: 50.0 % (35.0 to 65.0 %) of 1 test image, which may be guessing",
        ),
        ({"recommended": "scratch"}, ""),
        ({}, ""),
    ],
)
def test_the_headline(summary, line):
    assert headline(summary) == line


def test_the_verdict_follows_the_headline():
    assert headline_and_verdict({}) == ""
    assert headline_and_verdict(FULL).endswith("test images. better than scratch")
    told = headline_and_verdict(FULL | {"why": "It is cheap.", "cautions": ["Few images.", "All tie."]})
    assert told.splitlines()[1:] == ["why: It is cheap.", "caution: Few images.", "caution: All tie."]
    told = headline_and_verdict(FULL | {"cautions": ["Few images."], "next": ["Add images.", "Try more."]})
    assert told.splitlines()[1:] == ["caution: Few images.", "next: Add images."], "the most useful step alone"
    assert headline_and_verdict(FULL | {"verdict": None}).endswith("test images")
    SUMMARY.write_text("half a fi")
    assert read_summary() == {}


def test_figures_of_an_earlier_layout_are_none(monkeypatch):
    """All of them were metrics then, in another file: until the next run only the headline is shown."""
    makers = {f"evaluation/{name}/figures.json": f"evaluate@{name}" for name in ("x", "y", "off")}
    monkeypatch.setattr(results, "read_makers", lambda: makers | {"report/summary.json": "report"})
    contents = {"x/metrics.json": {"accuracy": 0.5}, "off/figures.json": {}}
    contents["y/figures.json"] = {"accuracy": 0.75, "roc_auc": None, "precision": "float32"}
    for name, content in contents.items():
        (Path("evaluation") / name).parent.mkdir(parents=True)
        (Path("evaluation") / name).write_text(json.dumps(content))
    SUMMARY.write_text(json.dumps(FULL))
    found, older = results.read_results({"evaluate@y"})
    assert found.models == [{"model": "y", "accuracy": 0.75}]
    assert (older.models, older.summary) == ([], FULL)


def test_verdicts_are_turned_to_stand_beside_the_recommended_model():
    assert read_verdicts("b") == {}
    COMPARISONS.write_text(
        "one,other,images,verdict\na,b,9,worse\na,c,9,better\nb,c,9,better\nb,d,9,no difference shown\n"
    )
    expected = {"b": "recommended", "a": "worse", "c": "worse", "d": "no difference shown"}
    assert read_verdicts("b") == expected


def test_balanced_accuracy_is_shown_where_it_is_the_headline(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    models = [{"model": "x", "accuracy": 0.875, "balanced_accuracy": 0.625}]
    show_models(Results(models))
    assert "0.625" not in capsys.readouterr().out
    show_models(Results(models, {"headline": BALANCED}))
    assert "0.625" in capsys.readouterr().out
