import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from flows.errors import FlowError
from flows.execution.process import run_stage
from flows.execution.process_output import Outcome
from flows.project import workspace


def write_rwlock(pid: int, command: str = "dvc repro a") -> None:
    workspace.RWLOCK.parent.mkdir(parents=True, exist_ok=True)
    users = {str(Path("a").resolve()): {"pid": pid, "cmd": command}}
    workspace.RWLOCK.write_text(json.dumps({"write": users, "read": {}}))


@pytest.fixture
def project(make):
    return make({"a": {"cmd": "echo 1 > a", "outs": ["a"]}})


def test_a_second_run_is_told_who_holds_the_workspace(project):
    with workspace.exclusive():
        code = "from flows.project.workspace import exclusive\nwith exclusive(): pass"
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"another run is at work here (process {os.getpid()})" in second.stderr
    with workspace.exclusive():
        pass


def test_the_lock_of_an_ended_process_is_cleared(project):

    # A number that is in use, by something else: DVC itself would say the stage is busy.
    write_rwlock(os.getpid())
    assert run_stage("a", lambda _: None, threading.Event()).outcome is Outcome.FAILED
    with workspace.exclusive():
        assert run_stage("a", lambda _: None, threading.Event()).outcome is Outcome.RAN


def test_half_a_lock_file_is_cleared(project):
    write_rwlock(os.getpid())
    workspace.RWLOCK.write_text('{"wri')
    with workspace.exclusive():
        assert not workspace.RWLOCK.exists()
        # An end of this run at that moment, as by Ctrl-C, leaves it so to commands of DVC.
        workspace.RWLOCK.write_text("")
    assert not workspace.RWLOCK.exists()


def test_a_dvc_that_is_at_work_is_left_alone(project):
    working = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "repro", "a"])
    try:
        write_rwlock(working.pid)
        with pytest.raises(FlowError, match=rf"process {working.pid}: dvc repro a"), workspace.exclusive():
            pass
        assert workspace.RWLOCK.exists()
    finally:
        working.kill()
        working.wait()


def test_what_a_killed_run_left_at_work_is_ended_and_nothing_else(project, tmp_path):
    # Of another workspace; of nobody; of this one, whatever it is and wherever it has gone.
    environments = [{workspace.MARK: str(tmp_path)}, {}, {workspace.MARK: str(project)}]
    left = [left_behind(tmp_path, environment) for environment in environments]
    try:
        with workspace.exclusive():
            mine = subprocess.Popen(["sleep", "60"])
            with workspace.alone(project):
                assert mine.poll() is None
            mine.kill()
            mine.wait()
        assert [is_at_work(process) for process in left] == [True, True, False]
        assert workspace.MARK not in os.environ
    finally:
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def left_behind(folder: Path, environment: dict[str, str]) -> psutil.Process:
    """A process that whoever started it has left at work."""
    started = subprocess.run(
        ["sh", "-c", "sleep 60 > /dev/null 2>&1 & echo $!"],
        capture_output=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"]} | environment,
        check=True,
    )
    return psutil.Process(int(started.stdout))


def is_at_work(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_what_works_in_a_container_is_left_alone_whatever_its_folder_is_called(project, tmp_path, monkeypatch):
    left = left_behind(tmp_path, {workspace.MARK: str(project)})
    monkeypatch.setattr(workspace, "_numbering", lambda process: process)
    try:
        with workspace.exclusive():
            assert is_at_work(left)
    finally:
        left.kill()


def test_what_this_process_has_started_outlives_its_next_run(project):
    # As the server that takes what a run says, while the same process makes the page of that run.
    with workspace.exclusive():
        mine = subprocess.Popen(["sleep", "60"])
    try:
        with workspace.exclusive():
            assert mine.poll() is None
    finally:
        mine.kill()
        mine.wait()
