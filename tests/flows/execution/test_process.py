import selectors
import shlex
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from dvc.stage import Stage

from flows.errors import FlowError
from flows.execution.process import run_stage
from flows.execution.process_output import Outcome
from flows.project.dvc_repo import open_project
from flows.project.workspace import exclusive

ROOT = Path(__file__).resolve().parents[3]


def run(name: str):
    lines: list[str] = []
    return run_stage(name, lines.append, threading.Event()), lines


def sleepers(seconds: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", seconds]]


def alive(word: str) -> list[psutil.Process]:
    """Children of this process with a word in their command; a dead one that nobody has waited for has none."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if word in child.cmdline():
                found.append(child)
    return found


def test_a_stage_runs_then_is_up_to_date_then_is_restored(make):
    project = make({"a": {"cmd": "cp source a; echo done", "deps": ["source"], "outs": ["a"]}})
    (project / "source").write_text("1")
    result, lines = run("a")
    assert result.outcome is Outcome.RAN
    assert lines == ["Running stage 'a':", "> cp source a; echo done", "done"]
    assert run("a")[0].outcome is Outcome.UP_TO_DATE
    (project / "source").write_text("2")
    assert run("a")[0].outcome is Outcome.RAN
    (project / "source").write_text("1")
    assert run("a")[0].outcome is Outcome.RESTORED
    assert (project / "a").read_text() == "1"


def test_what_was_edited_while_the_stage_was_at_work_is_not_credited_with_its_result(make):
    edits = "echo 2 > source; touch code/new.py; echo 'b: {c: 2, d: 1}' > params.yaml"
    project = make({"a": {"cmd": f"cp source a; {edits}", "deps": ["code", "source"], "params": ["b"], "outs": ["a"]}})
    (project / "code").mkdir()
    (project / "code" / "old.py").touch()
    (project / "source").write_text("1")
    (project / "params.yaml").write_text("b: {c: 1, d: 1}\n")
    result, _ = run("a")
    assert result.outcome is Outcome.FAILED
    assert result.reason.startswith("code, source, params.yaml: b: changed while the stage was at work")
    assert not (project / "dvc.lock").exists()
    # Now nothing changes any more.
    assert run("a")[0].outcome is Outcome.RAN


def test_what_was_edited_while_an_equal_run_was_laid_down_is_not_credited_with_its_result(make, monkeypatch):
    project = make({"a": {"cmd": "cp source a", "deps": ["source"], "outs": ["a"]}})
    for content in ("1", "2"):
        (project / "source").write_text(content)
        run("a")
    (project / "source").write_text("1")
    lay_down = Stage.checkout

    def slow(self, **options):
        (project / "source").write_text("2")
        return lay_down(self, **options)

    monkeypatch.setattr(Stage, "checkout", slow)
    with pytest.raises(FlowError, match="source: changed while the stage was at work"), open_project() as repo:
        repo.reproduce("a", single_item=True)
    # Now nothing changes any more.
    monkeypatch.setattr(Stage, "checkout", lay_down)
    assert run("a")[0].outcome is Outcome.RESTORED
    assert (project / "a").read_text() == "2"


def test_a_file_that_an_editor_opens_meanwhile_is_no_edit(make):
    """Nor what Python leaves there; an image may be called as a copy of an editor's is."""
    left = ("stages/lib/.a.py.swp", "stages/a.py~", "stages/lib/#a.py#", "stages/__pycache__/a.pyc")
    lay = f"mkdir -p stages/__pycache__; touch {shlex.join(left)}; ln -s nobody@here stages/lib/.#a.py"
    stage = {"cmd": f"{lay}; cp source a", "deps": ["stages", "images"], "outs": ["a"]}
    project = make({"a": stage})
    shutil.copy(ROOT / ".dvcignore", project)
    for folder in ("stages/lib", "images"):
        (project / folder).mkdir(parents=True)
        (project / folder / "a.py").touch()
    (project / "source").write_text("1")
    assert run("a")[0].outcome is Outcome.RAN
    assert run("a")[0].outcome is Outcome.UP_TO_DATE
    (project / "images" / "a.jpg~").touch()
    (project / "stages" / "lib" / ".#a.py").unlink()
    assert run("a")[0].outcome is Outcome.RAN


def test_a_frozen_stage_is_up_to_date(make):
    (make({"a": {"cmd": "exit 1", "outs": ["a"], "frozen": True}}) / "a").write_text("1")
    assert run("a")[0].outcome is Outcome.UP_TO_DATE


def test_a_failed_stage_says_why(make):
    make({"a": {"cmd": "echo 'error: no images' >&2; exit 1", "outs": ["a"]}})
    result, _ = run("a")
    assert (result.outcome, result.reason) == (Outcome.FAILED, "no images")


@pytest.mark.parametrize("half", ["schema: '2.", "schema: '2.0'\n", ""], ids=["cut", "without stages", "empty"])
def test_who_ends_while_dvc_writes_leaves_dvc_lock_as_it_was(make, half):
    """DVC writes over dvc.lock where it lies; what is written there by half stands for that."""
    project = make(
        {"a": {"cmd": "echo 1 > a", "outs": ["a"]}, "b": {"cmd": "cat half > dvc.lock; exit 1", "outs": ["b"]}}
    )
    (project / "half").write_text(half)
    assert run("a")[0].outcome is Outcome.RAN
    before = (project / "dvc.lock").read_bytes()
    assert run("b")[0].outcome is Outcome.FAILED
    assert (project / "dvc.lock").read_bytes() == before
    assert run("a")[0].outcome is Outcome.UP_TO_DATE


def test_a_descendant_that_keeps_the_pipe_delays_nothing(make):
    make({"a": {"cmd": "sleep 41.5 & echo 1 > a; echo done", "outs": ["a"]}})
    started = time.monotonic()
    try:
        result, lines = run("a")
        assert sleepers("41.5")
    finally:
        for process in sleepers("41.5"):
            process.kill()
    assert time.monotonic() - started < 20
    assert result.outcome is Outcome.RAN
    assert lines[-1] == "done"


def test_an_end_between_two_looks_loses_no_line(make, monkeypatch):
    class Late(selectors.DefaultSelector):
        def select(self, timeout=None):
            nonlocal looks
            looks += 1
            if looks > 1:
                return super().select(timeout)
            # Nothing yet; and then the process writes everything, and ends.
            [dvc] = alive("repro")
            while dvc.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.1)
            return []

    looks = 0

    make({"a": {"cmd": "echo 1 > a", "outs": ["a"]}})
    monkeypatch.setattr(selectors, "DefaultSelector", Late)
    assert run("a")[0].outcome is Outcome.RAN


@pytest.mark.parametrize("cmd", ["sleep 42.5", "trap '' INT; setsid sleep 42.5 & sleep 42.5; sleep 42.5"])
def test_a_stopped_stage_leaves_no_process_and_a_project_that_goes_on(make, monkeypatch, cmd):
    import signal

    from flows.execution import process_tree

    monkeypatch.setattr(process_tree, "_GRACE", dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGKILL), 2.0))
    project = make({"a": {"cmd": f"([ -e quick ] || ({cmd})) && echo 1 > a", "outs": ["a"]}})
    stop = threading.Event()

    def take(line: str) -> None:
        if line.startswith(">"):
            threading.Timer(1, stop.set).start()

    assert run_stage("a", take, stop).outcome is Outcome.STOPPED
    assert sleepers("42.5") == []
    (project / "quick").touch()
    # It clears what an end in the middle of writing leaves of DVC's own lock.
    with exclusive():
        assert run("a")[0].outcome is Outcome.RAN


def test_a_dvc_that_is_killed_leaves_no_stage_behind(make):
    project = make({"a": {"cmd": "[ -e quick ] || sleep 44.5; echo 1 > a", "outs": ["a"]}})

    def take(line: str) -> None:
        if line.startswith(">"):
            [dvc] = alive("repro")
            threading.Timer(0.5, dvc.kill).start()

    result = run_stage("a", take, threading.Event())
    assert (result.outcome, result.reason) == (Outcome.FAILED, "dvc ended with -9")
    assert sleepers("44.5") == []
    (project / "quick").touch()
    assert run("a")[0].outcome is Outcome.RAN
