"""Workers and schedulers of Dask that die or are ended, and runs that are, while stages are at work."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from flows.errors import FlowError
from flows.project.git import git
from tests.flows.cluster import cluster, scheduler, worker
from tests.flows.workers_project import NAMES, at_work, prepare, run, stages, wait_for, wait_for_go

# Half a minute each.
pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]


@pytest.fixture
def project(make, tmp_path) -> Path:
    return prepare(make(stages(tmp_path / "meeting")))


def test_the_stage_of_a_worker_that_dies_runs_on_another(project, tmp_path):
    wait_for_go(project)
    with scheduler(tmp_path / "scheduler") as address:
        for name in ("one", "two"):
            git("clone", "--quiet", str(project), str(tmp_path / name))
        with worker(address, tmp_path / "one") as first, worker(address, tmp_path / "two"):
            killer = threading.Thread(target=_kill_when_at_work, args=(first, tmp_path))
            killer.start()
            assert run(address) == dict.fromkeys(NAMES, "ran")
            killer.join()


def _kill_when_at_work(process: subprocess.Popen, folder: Path) -> None:
    wait_for(lambda: at_work(folder / "one"))
    for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        one.kill()
    (folder / "meeting" / "go").touch()


def test_a_worker_that_is_ended_ends_its_stage_and_goes_on_when_it_is_back(project, tmp_path):
    wait_for_go(project)
    one = tmp_path / "one"
    git("clone", "--quiet", str(project), str(one))

    def replace_worker(first: subprocess.Popen) -> None:
        wait_for(lambda: at_work(one))
        first.terminate()
        first.wait()
        wait_for(lambda: not at_work(one), 20)
        (tmp_path / "meeting" / "go").touch()
        second.enter_context(worker(address, one))

    with scheduler(tmp_path / "scheduler") as address, worker(address, one) as first, ExitStack() as second:
        thread = threading.Thread(target=replace_worker, args=(first,))
        thread.start()
        assert run(address) == dict.fromkeys(NAMES, "ran")
        thread.join()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end_here_ends_the_stages_there(project, tmp_path, prefect_server, number):
    with cluster(project, ("one",)) as address:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "run", "--workers", address],
            env=os.environ | {"PREFECT_API_URL": prefect_server},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        wait_for(lambda: at_work(tmp_path / "one"))
        process.send_signal(number)
        process.communicate(timeout=60)
        assert process.returncode == (130 if number == signal.SIGINT else 143)
        assert not at_work(tmp_path / "one")
        (tmp_path / "meeting" / "x").touch()
        (tmp_path / "meeting" / "y").touch()
        assert run(address) == dict.fromkeys(NAMES, "ran") | {"download": "up to date"}


def test_a_scheduler_that_dies_ends_the_stages_and_the_run(project, tmp_path):
    with scheduler(tmp_path / "scheduler") as address:
        git("clone", "--quiet", str(project), str(tmp_path / "one"))
        with worker(address, tmp_path / "one"):
            killer = threading.Thread(target=_kill_scheduler, args=(address, tmp_path / "one"))
            killer.start()
            with pytest.raises(FlowError, match="the scheduler is gone"):
                run(address)
            killer.join()
            wait_for(lambda: not at_work(tmp_path / "one"))


def _kill_scheduler(address: str, clone: Path) -> None:
    wait_for(lambda: at_work(clone))
    port = int(address.rpartition(":")[2])
    for one in psutil.process_iter(["cmdline"]):
        if "scheduler" in (one.info["cmdline"] or []) and any(c.laddr.port == port for c in one.net_connections("tcp")):
            one.kill()
