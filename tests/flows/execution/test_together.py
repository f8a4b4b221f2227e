"""`flows.execution.together`: stages that have nothing to do share processes of DVC."""

import threading

import pytest

from flows.execution import together
from flows.execution.process_output import Outcome
from flows.execution.together import Together
from flows.project.graph import read_stages
from flows.project.idle import idle_among

# Two models are off, `x` beside the work and `y` behind it; both are measured, and `end` needs all.
OFF = {"x", "y", "measure@x", "measure@y"}
STAGES = {
    "data": {"cmd": "echo 1 > data", "outs": ["data"]},
    "x": {"cmd": "echo off; cp data x", "deps": ["data"], "outs": ["x"]},
    "work": {"cmd": "cp data work", "deps": ["data"], "outs": ["work"]},
    "y": {"cmd": "cp work y", "deps": ["work"], "outs": ["y"]},
    "measure": {
        "foreach": ["x", "y"],
        "do": {"cmd": "cp ${item} m_${item}", "deps": ["${item}"], "outs": ["m_${item}"]},
    },
    "end": {"cmd": "cat m_x m_y > end", "deps": ["m_x", "m_y"], "outs": ["end"]},
}


def take_all(found: Together, names: list[str]) -> tuple[dict[str, str | None], list[str]]:
    lines: list[str] = []
    results = {name: found.taken_over(name, lines.append, threading.Event()) for name in names}
    return {name: result and str(result.outcome) for name, result in results.items()}, lines


def test_groups_wait_for_all_that_they_need_and_no_way_leads_out_of_one_and_back(make):
    make(STAGES)
    found = Together(read_stages(), OFF)
    assert list(found.upstream) == ["data", "x", "work", "y", "measure@x", "measure@y", "end"]
    assert found.upstream["measure@x"] == ("x", "data")
    assert found.upstream["measure@y"] == ("y", "work")
    assert set(found.upstream["end"]) == {"measure@x", "measure@y"}
    alone = Together(read_stages(), OFF, first={"data", "x"})
    assert alone.upstream["measure@x"] == ("x",), "the first answer waits for no stage that it does not need"


def test_a_group_runs_in_one_process_and_dvc_finds_it_up_to_date(make, dvc, monkeypatch):
    project = make(STAGES)
    processes: list[list[str]] = []
    run_stages = together.run_stages
    monkeypatch.setattr(
        together, "run_stages", lambda names, *rest, **more: processes.append(names) or run_stages(names, *rest, **more)
    )
    dvc("repro", "--single-item", "data", "work")
    found = Together(read_stages(), OFF)
    outcomes, lines = take_all(found, ["x", "measure@x", "y", "measure@y", "end"])
    assert outcomes == dict.fromkeys(["x", "measure@x", "y", "measure@y"], "ran") | {"end": None}
    assert processes == [["x", "measure@x"], ["y", "measure@y"]]
    assert lines[:4] == ["Running stage 'x':", "> echo off; cp data x", "off", "Running stage 'measure@x':"]
    assert take_all(found, ["x"])[0] == {"x": None}, "from the second time on it runs by itself"
    dvc("repro", "--single-item", "end")
    lock = (project / "dvc.lock").read_text()
    assert "up to date" in dvc("status")
    dvc("repro")
    assert (project / "dvc.lock").read_text() == lock
    (project / "x").unlink()
    assert take_all(Together(read_stages(), OFF), ["x", "measure@x"])[0] == {"x": "restored", "measure@x": "up to date"}


def test_what_comes_after_a_failure_runs_by_itself_if_it_can(make):
    make(STAGES | {"x": {"cmd": "exit 1", "deps": ["data"], "outs": ["x"]}, "data": STAGES["data"]})
    found = Together(read_stages(), OFF)
    found.taken_over("data", print, threading.Event())
    failed = found.taken_over("x", print, threading.Event())
    assert failed
    assert failed.outcome is Outcome.FAILED
    assert found.taken_over("measure@x", print, threading.Event()) is None
    found.take_failure("work")
    assert found.taken_over("y", print, threading.Event()) is None


@pytest.mark.parametrize(
    ("parameters", "idle"),
    [
        ("x: {enabled: true}", {"candidate_features@first", "candidate_features@second"}),
        ("x: {enabled: false}", {"x", "evaluate@x", "candidate_features@first", "candidate_features@second"}),
        ("backbone: {candidates: [null, a]}", {"candidate_features@first"}),
        ("backbone: {candidates: [a, b]}\nx: 3", set()),
        ("backbone: 7", {"candidate_features@first", "candidate_features@second"}),
    ],
)
def test_the_parameters_say_which_stages_have_nothing_to_do(tmp_path, monkeypatch, parameters, idle):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(parameters)
    names = ["candidate_features@first", "candidate_features@second", "x", "evaluate@x", "evaluate@z"]
    assert idle_among(names) == idle
