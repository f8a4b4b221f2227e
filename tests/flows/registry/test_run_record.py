"""What is recorded of a run, and the headline that names its commit."""

import threading
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.execution.process import run_stage
from flows.execution.process_output import Outcome, StageResult
from flows.project.git import git
from flows.registry import run_record, saved_runs
from flows.registry.saved_runs import Workspace

SUMMARY = {"recommended": "x", "accuracy": 0.8, "accuracy_low": 0.7, "accuracy_high": 0.9}
BALANCED = {f"balanced_{name}": value / 2 for name, value in SUMMARY.items() if name != "recommended"}


@pytest.mark.parametrize(
    ("record", "headline"),
    [
        ({"outcome": "trained", "summary": SUMMARY}, "Run: x 0.8000 (0.7000 to 0.9000), saved"),
        ({"outcome": "trained", "summary": SUMMARY, "decision": "held"}, "Run: x 0.8000 (0.7000 to 0.9000), held"),
        (
            {"outcome": "trained", "summary": SUMMARY | BALANCED | {"headline": "balanced_accuracy"}},
            "Run: x balanced accuracy 0.4000 (0.3500 to 0.4500), saved",
        ),
        # Of a run about some stages there is no report; what a failed one finds is of an earlier run.
        ({"outcome": "trained", "summary": None}, "Run: trained"),
        ({"outcome": "failed", "summary": SUMMARY}, "Run: failed"),
        ({"outcome": "up to date", "summary": SUMMARY}, "Run: up to date"),
    ],
)
def test_the_headline_of_a_commit(record: dict, headline: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(saved_runs, "save", lambda _, __, text, also: said.append(text))
    run_record.save(record, Workspace(Path(), "main"))
    assert said == [headline]


def test_a_run_is_not_saved_with_code_that_its_results_are_not_of(make, monkeypatch):
    project = make({"a": {"cmd": "cp source a", "deps": ["source"], "outs": ["a"]}, "b": {"cmd": "exit 1"}})
    git("-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "--quiet", "--allow-empty", "--message", "one")
    (project / "source").write_text("1")
    results = [run_stage("a", lambda _: None, threading.Event())]
    workspace = Workspace(Path(), "main")
    assert run_record.compose(workspace, results)["outcome"] == "trained"
    (project / "source").write_text("2")
    with pytest.raises(
        FlowError, match=r"^not saved: changed since these stages ran: a \(source modified\); run again$"
    ):
        run_record.compose(workspace, results)
    # What a failure has left is recorded as such.
    results.append(StageResult("b", Outcome.FAILED, reason="no"))
    assert run_record.compose(workspace, results)["outcome"] == "failed"
