"""`flows.execution.head_start`: stages that run before there is a task for them."""

import threading
import time

import pytest

from flows.execution import head_start
from flows.execution.head_start import HeadStart
from flows.execution.process_output import Outcome, StageResult
from flows.project.graph import StageNode, read_stages

STAGES = {
    "a": {"cmd": "echo one; echo $SECRET; echo 1 > a", "outs": ["a"]},
    "b": {"cmd": "until [ -e go ]; do sleep 0.05; done; cp a b", "deps": ["a"], "outs": ["b"]},
    "c": {"cmd": "cp b c", "deps": ["b"], "outs": ["c"]},
}


def begun_until(head_start: HeadStart, name: str) -> None:
    deadline = time.monotonic() + 20
    while name not in head_start._begun:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_stages_run_in_order_until_it_is_closed_and_their_tasks_take_them_over(make, monkeypatch):
    project = make(STAGES)
    lines: list[str] = []
    with HeadStart(read_stages(), frozenset()) as head_start:
        monkeypatch.setenv("SECRET", "the password of a server that has started since")
        begun_until(head_start, "b")
        head_start.close()
        first = head_start.taken_over("a", lines.append)
        (project / "go").touch()
        assert head_start.taken_over("c", lines.append) is None
        assert head_start.taken_over("a", lines.append) is None
        second = head_start.taken_over("b", lines.append)
    assert first
    assert first.outcome is Outcome.RAN
    assert lines[:4] == ["Running stage 'a':", "> echo one; echo $SECRET; echo 1 > a", "one", "Running stage 'b':"]
    assert second
    assert second.outcome is Outcome.RAN
    assert not (project / "c").exists()


def test_what_is_up_to_date_is_left_alone_and_a_failure_ends_it(make):
    make(STAGES | {"a": {"cmd": "exit 1", "outs": ["a"]}})
    with HeadStart(read_stages(), frozenset({"a"})) as head_start:
        found = head_start.taken_over("b", lambda _: None)
    assert found is None or found.outcome is Outcome.FAILED
    assert head_start.taken_over("a", lambda _: None) is None
    assert head_start.taken_over("c", lambda _: None) is None


def test_nothing_begins_after_a_failure_though_it_does_not_depend_on_it(monkeypatch):
    begun: list[str] = []

    def fail(name: str, *_: object, **__: object) -> StageResult:
        begun.append(name)
        return StageResult(name, Outcome.FAILED)

    monkeypatch.setattr(head_start, "run_whole", fail)
    with HeadStart([StageNode(name, (), False, ()) for name in ("a", "b")], frozenset()) as found:
        result = found.taken_over("a", lambda _: None)
        found._thread.join(20)
        assert found.taken_over("b", lambda _: None) is None
    assert result == StageResult("a", Outcome.FAILED)
    assert begun == ["a"]


def test_an_error_ends_the_stage_at_work(make):
    make(STAGES)
    started = time.monotonic()
    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt), HeadStart(read_stages(), frozenset()) as head_start:
        begun_until(head_start, "b")
        raise KeyboardInterrupt
    assert time.monotonic() - started < 30
    # Those that pass lines on end with the stage; one may be about to.
    assert threading.active_count() <= threads + 1
