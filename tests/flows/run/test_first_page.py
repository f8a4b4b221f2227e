"""`flows.run.first_page`: a report of the first model, while others are still at work."""

import threading
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.execution.process_output import Outcome, StageResult
from flows.project.graph import StageNode, read_stages
from flows.run import first_page
from flows.run.first_page import FOLDER, FirstPage, before_first_model

# The report copies what is there of each model; the second one is slow.
REPORT = """
import json, os, sys
there = sorted(os.listdir("evaluation"))
os.makedirs("report", exist_ok=True)
if os.path.exists("broken"):
    sys.exit("error: no images")
open("report/report.html", "w").write("<html><body class='x'><h1>" + " ".join(there) + "</h1></body></html>")
summary = {"recommended": there[0], "accuracy": 0.75, "images": 40}
open("report/summary.json", "w").write(json.dumps(summary))
"""
STAGES = {
    "evaluate": {
        "foreach": ["x", "y"],
        "do": {
            "cmd": "mkdir -p evaluation/${item} && echo '{\"accuracy\": 0.75}' > evaluation/${item}/figures.json",
            "outs": [{"evaluation/${item}/figures.json": {"cache": False}}],
        },
    },
    "report": {
        "cmd": "python report.py",
        "deps": ["evaluation/x/figures.json", "evaluation/y/figures.json"],
        "outs": ["report/report.html", {"report/summary.json": {"cache": False}}],
    },
}


@pytest.fixture
def project(make) -> Path:
    project = make(STAGES)
    (project / "report.py").write_text(REPORT)
    for name, figures in {"x": '{"accuracy": 0.75}', "y": '{"accuracy": 0.1}'}.items():
        (project / "evaluation" / name).mkdir(parents=True)
        (project / "evaluation" / name / "figures.json").write_text(figures)
    return project


def told_after(*results: StageResult, fresh: frozenset[str] = frozenset(), lines: int = 2) -> list[str]:
    """What is told once these stages have ended."""
    found, enough = [], threading.Event()

    def tell(line: str) -> None:
        found.append(line)
        if len(found) == lines:
            enough.set()

    with FirstPage(read_stages(), fresh, tell) as page:
        take = page.after(lambda _: None)
        for result in results:
            take(result)
        if page.has_begun:
            assert enough.wait(20), found
    assert not FOLDER.exists()
    return found


def ran(name: str) -> StageResult:
    return StageResult(name, Outcome.RAN)


def test_the_first_model_has_a_page_of_its_own_that_says_what_is_to_come(project):
    told = told_after(ran("evaluate@x"))
    page = project / "report" / "run.html"
    assert told == [
        "first answer: use x: 75.0 % of 40 test images; the rest is on its way",
        f"first page: {page}",
    ]
    # Only what this run has measured is in it, and nothing of it lies where DVC looks.
    assert "<h1>x</h1>" in page.read_text()
    assert page.read_text().startswith("<html><body class='x'><p role=\"status\"")
    # A run that is stopped leaves it, so it says nothing of now.
    assert "was still at work on evaluate@y" in page.read_text()
    assert [file.name for file in (project / "report").iterdir()] == ["run.html"]


def test_there_is_none_where_nothing_is_new_or_nothing_is_to_come(project):
    assert told_after(StageResult("evaluate@x", Outcome.UP_TO_DATE)) == []
    assert told_after(StageResult("evaluate@x", Outcome.FAILED)) == []
    assert told_after(ran("evaluate@x"), fresh=frozenset({"evaluate@y"})) == []
    assert told_after(ran("evaluate@x"), fresh=frozenset({"report"})) == []
    # A model that is turned off has no figures.
    (project / "evaluation" / "x" / "figures.json").write_text("{}")
    assert told_after(ran("evaluate@x")) == []
    assert not (project / "report").exists()


def test_what_the_first_model_needs_goes_first(make):
    train = {"cmd": "cp raw m_${item}", "deps": ["raw"], "outs": ["m_${item}"]}
    evaluate = STAGES["evaluate"]["do"] | {"deps": ["m_${item}"]}
    make(
        {
            "train": {"foreach": ["y", "x"], "do": train},
            "other": {"cmd": "echo 1 > other", "outs": ["other"]},
            "download": {"cmd": "echo 1 > raw", "outs": ["raw"]},
            "evaluate": {"foreach": ["x", "y"], "do": evaluate},
        }
    )
    assert before_first_model(read_stages()) == {"download", "train@x", "evaluate@x"}
    assert before_first_model(read_stages(), {"evaluate@x"}) == {"download", "train@y", "evaluate@y"}
    assert before_first_model(read_stages()[:1]) == set()


def test_a_page_that_fails_is_told_and_ends_nothing(project):
    (project / "broken").touch()
    assert told_after(ran("evaluate@x"), lines=1) == ["no first page: error: no images"]


def test_a_page_whose_summary_is_none_is_told_in_a_line():
    said: list[str] = []
    report = StageNode("report", (), False, (), command="true", outputs=("report/report.html",))

    def refuse(*_: object) -> None:
        raise FlowError("report/summary.json: accuracy: expected a share")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_page, "lay_out", refuse)
        FirstPage([report], (), said.append)._make(report, frozenset())
    assert said == ["no first page: report/summary.json: accuracy: expected a share"]
