"""Stages in copies of a warm process: they run, fail and end as processes of their own do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from flows.execution import warm
from flows.execution.process import run_stage
from flows.execution.process_output import Outcome

OF_PYTEST = "PYTEST_CURRENT_TEST"  # a variable that changes while a test runs
MODULE = """
import json, os, signal, sys, time

def tell():
    print(json.dumps({"warm": "colorsys" in sys.modules, "arguments": sys.argv[1:], "folder": os.getcwd(),
                      "path": sys.path, "name": __name__, "variable": os.environ.get("DVC_STAGE"),
                      "file": sys.argv[0]}), flush=True)

if sys.argv[1] == "wait":
    try:
        tell()
        time.sleep(46.5)
    except KeyboardInterrupt:
        print("cleaned up", flush=True)
        sys.exit(130)
tell()
match sys.argv[1]:
    case "exit": sys.exit(75)
    case "say": sys.exit("error: no such folder")
    case "raise": raise ValueError("a traceback")
    case "die": os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def stages(make, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with one stage, and a warm process that has imported little."""
    project = make({"one": {"cmd": "python -m stages.one wait && touch one", "outs": ["one"]}})
    (project / "stages").mkdir()
    (project / "stages" / "__init__.py").touch()
    (project / "stages" / "one.py").write_text(MODULE)
    monkeypatch.setenv(warm.OFF, "yes")
    monkeypatch.setattr(warm, "LIBRARIES", ("colorsys",))
    with ExitStack() as stack:
        with monkeypatch.context() as patch:
            patch.delenv(OF_PYTEST)
            stack.enter_context(warm.warm_process())
        place = Path(warm.environment_of({})["PATH"].split(os.pathsep)[0], "socket")
        wait_until(place.exists)
        yield project
    wait_until(lambda: not at_work(place))


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def variables_of_a_stage() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != OF_PYTEST}


def at_work(place: Path) -> list[psutil.Process]:
    """What still runs of a warm process, its copies and who stands for them: all are started with its socket."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and str(place) in process.cmdline():
                found.append(process)
    return found


def started(*arguments: str, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["python", *arguments],
        env=warm.environment_of(variables_of_a_stage()) | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def told(*arguments: str, **variables: str) -> tuple[int, dict, str]:
    """Exit status, what the stage says of itself, and its errors."""
    import json

    process = started("-m", "stages.one", *arguments, **variables)
    out, errors = process.communicate(timeout=30)
    return process.returncode, json.loads(out.splitlines()[0]), errors


def test_a_stage_runs_in_a_copy_as_python_would_run_it(stages):
    code, found, _ = told("a b", "$HOME", DVC_STAGE="one")
    assert (code, found["warm"], found["arguments"]) == (0, True, ["a b", "$HOME"])
    assert (found["folder"], found["path"][0], found["name"]) == (str(stages), str(stages), "__main__")
    assert (found["variable"], found["file"]) == ("one", str(stages / "stages" / "one.py"))


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [("exit", 75, ""), ("say", 1, "error: no such folder\n"), ("raise", 1, "a traceback"), ("die", -9, "")],
)
def test_a_copy_ends_as_the_stage_does(stages, how, code, said):
    found, one, errors = told(how)
    assert (found, one["warm"]) == (code, True)
    assert said in errors


def test_who_has_another_environment_or_is_no_stage_is_a_process_of_its_own(stages):
    assert told("a", TF_ENABLE_ONEDNN_OPTS="0")[1]["warm"] is False
    other = started("-c", "import sys; print('colorsys' in sys.modules, sys.executable)")
    assert other.communicate(timeout=30)[0] == f"False {sys.executable}\n"


def test_a_changed_module_runs_as_it_is_now(stages):
    (stages / "stages" / "one.py").write_text(MODULE.replace('"name": __name__', '"name": "changed"'))
    assert told("a")[1]["name"] == "changed"


def test_signals_reach_the_stage_and_it_ends_with_who_stands_for_it(stages):
    for number, code, said in ((signal.SIGINT, 130, "cleaned up"), (signal.SIGKILL, -9, "")):
        process = started("-m", "stages.one", "wait")
        assert process.stdout
        assert '"warm": true' in process.stdout.readline()
        os.killpg(process.pid, number)
        # The pipe ends with the last process that has it.
        assert process.communicate(timeout=20)[0].strip() == said
        assert process.returncode == code


def _is_server(process: psutil.Process) -> bool:
    try:
        return str(warm._SERVER) in process.cmdline()
    except psutil.NoSuchProcess:  # it ended, and nobody has waited for it yet
        return False


def test_a_stage_does_not_outlive_who_looks_after_it(stages):
    process = started("-m", "stages.one", "wait")
    assert process.stdout
    assert '"warm": true' in process.stdout.readline()
    [attendant] = [below for server in psutil.Process().children() if _is_server(server) for below in server.children()]
    attendant.kill()
    # The pipe ends with the last process that has it.
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (1, "ERROR: the warm process was killed, and this stage with it\n")


def test_a_stopped_stage_is_cleaned_up_by_dvc_as_ever(stages):
    import threading

    stop, lines = threading.Event(), []

    def take(line: str) -> None:
        lines.append(line)
        if '"warm"' in line:
            stop.set()

    result = run_stage("one", take, stop, environment=variables_of_a_stage())
    assert result.outcome is Outcome.STOPPED
    assert any('"warm": true' in line for line in lines)
    (stages / "stages" / "one.py").write_text("")
    assert run_stage("one", take, threading.Event()).outcome is Outcome.RAN
