"""`flows.execution.own_server`: a run without its server ends soon, and says so; real ones are killed at the end."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES

from flows.execution import own_server
from flows.execution.prefect_errors import ServerError
from flows.exit_codes import ExitCode


class Server:
    """Stands for Prefect's own: a process that it waits for, and never looks at."""

    running, answers = False, True
    server_process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.server_process = subprocess.Popen(["sleep", "60"])
        while not self.answers:
            time.sleep(0.05)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    from prefect.context import refresh_global_settings_context

    made = Server()
    monkeypatch.setattr("prefect.server.api.server.SubprocessASGIServer", lambda: made)
    monkeypatch.setattr(own_server, "_LOOK", 0.05)
    monkeypatch.setattr(own_server, "_lost", [])
    monkeypatch.delenv("PREFECT_CLIENT_MAX_RETRIES", raising=False)
    yield made
    made.answers = True
    if made.server_process:
        made.server_process.kill()
        made.server_process.wait()
    os.environ.pop("PREFECT_CLIENT_MAX_RETRIES", None)
    refresh_global_settings_context()


def wait_until(happened: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def tries() -> int:
    """Of the process, whatever this thread has been told by another test."""
    found: list[int] = []
    asking = threading.Thread(target=lambda: found.append(PREFECT_CLIENT_MAX_RETRIES.value()))
    asking.start()
    asking.join()
    return found[0]


def test_one_that_is_killed_is_missed_at_once_and_nothing_is_tried_again(server):
    assert tries() > 0
    own_server.start_own()
    assert own_server.lost() is None
    assert server.server_process
    server.server_process.kill()
    wait_until(own_server.lost)
    wait_until(lambda: tries() == 0)
    assert "it was killed (signal 9) before the run was over: what has finished is kept" in str(own_server.lost())
    assert own_server.lost().code is ExitCode.SERVER


def test_one_that_ends_while_it_starts_is_not_waited_for(server):
    server.answers = False

    def kill() -> None:
        wait_until(lambda: server.server_process)
        server.server_process.kill()

    threading.Thread(target=kill).start()
    with pytest.raises(ServerError, match=r"it was killed \(signal 9\)"):
        own_server.start_own()


def test_one_that_ends_each_time_it_is_started_is_not_started_for_ever(server, monkeypatch):
    """As of a damaged database: Prefect takes it for a port that is in use."""

    def start() -> None:
        while not server.running:
            server.server_process = subprocess.Popen(["sh", "-c", "sleep 0.2; exit 3"])
            while server.server_process.poll() is None:
                time.sleep(0.02)
            server.running = server.server_process.returncode != 3

    monkeypatch.setattr(server, "start", start)
    with pytest.raises(ServerError, match=r"it ended with 3 each time it was started: see why with `prefect server"):
        own_server.start_own()
    wait_until(lambda: server.running)
    assert own_server.lost()


def test_no_stage_begins_without_it_and_the_one_at_work_ends(make, prefect_server, monkeypatch):
    from flows.run.pipeline import run_pipeline

    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    project = make(
        {
            "a": {"cmd": "touch reached; while [ -e reached ]; do sleep 0.1; done; echo 1 > a", "outs": ["a"]},
            "b": {"cmd": "echo 1 > b", "deps": ["a"], "outs": ["b"]},
        }
    )
    lost: list[ServerError] = []
    monkeypatch.setattr(own_server, "_lost", lost)

    def lose() -> None:
        wait_until((project / "reached").exists)
        lost.append(ServerError("it was killed"))
        (project / "reached").unlink()

    threading.Thread(target=lose).start()
    with pytest.raises(ServerError, match="it was killed"):
        run_pipeline(1)
    assert ((project / "a").exists(), (project / "b").exists()) == (True, False)


@pytest.mark.slow
def test_a_run_whose_server_is_killed_ends_with_its_stage(make, tmp_path):
    """About 20 seconds, most of them until the server is there."""
    hold = tmp_path / "hold"
    hold.touch()
    project = make(
        {
            "a": {"cmd": f"while [ -e {hold} ]; do sleep 0.1; done; echo 1 > a", "outs": ["a"]},
            "b": {"cmd": "echo 1 > b", "deps": ["a"], "outs": ["b"]},
        }
    )
    environment = os.environ | {"PREFECT_HOME": str(tmp_path / "prefect"), "SMALLSET_WARM": "no"}
    command = [sys.executable, "-m", "flows.cli", "run"]
    root = {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    run = subprocess.Popen(command, env=environment | root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_until(lambda: _server_of(run), 120)
    # In most cases it answers then, and the flow has begun; where it does not, the end is the same.
    time.sleep(15)
    _server_of(run)[0].kill()
    time.sleep(1)
    hold.unlink()
    ended = time.monotonic()
    said = run.communicate(timeout=60)[0]
    assert time.monotonic() - ended < 30
    assert run.returncode == ExitCode.SERVER
    assert "error: Prefect server at 127.0.0.1: it was killed (signal 9) before the run was over" in said
    assert ((project / "a").exists(), (project / "b").exists()) == (True, False)


def _server_of(run: "subprocess.Popen[str]") -> list[psutil.Process]:
    with suppress(psutil.Error):
        return [one for one in psutil.Process(run.pid).children() if "uvicorn" in one.cmdline()]
    return []
