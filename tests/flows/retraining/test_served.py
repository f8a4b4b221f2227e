"""Schedules of a real Prefect server, `schedule` and a worker as real processes, and what they survive."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import requests
import yaml

from tests.flows.versions_project import checkout, options, remote, saved

# Real servers and schedules of seconds: about a minute.
pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 120.0  # seconds
PASSWORD = ("smallset", "of a test")
QUICK = {"PREFECT_RUNNER_POLL_FREQUENCY": "1", "PREFECT_WORKER_QUERY_SECONDS": "1", "NO_PROXY": "127.0.0.1"}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., psutil.Popen]]:
    """Start a Python module as a process; at the end it and all that it has started are gone."""
    processes: list[psutil.Popen] = []
    marked = str(tmp_path)

    def started(*command: str, cwd: Path | None = None, **environment: str) -> psutil.Popen:
        with (tmp_path / "log").open("ab") as log:
            processes.append(
                psutil.Popen(
                    [sys.executable, "-m", *command],
                    cwd=cwd,
                    env=os.environ | QUICK | {"SMALLSET_TEST": marked} | environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
        return processes[-1]

    try:
        yield started
    finally:
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("SMALLSET_TEST") == marked:
                    process.kill()
        for process in processes:
            process.wait()


@contextmanager
def reported(log: Path) -> Iterator[None]:
    try:
        yield
    finally:
        print(log.read_text(errors="replace"))


def wait_until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def answers(address: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"{address}/health", timeout=5).ok
    return False


def states(address: str) -> list[str]:
    """States of all runs of the flow that have begun, the latest first."""
    body = {"sort": "START_TIME_DESC", "flows": {"name": {"any_": ["smallset-retrain"]}}}
    runs = requests.post(f"{address}/flow_runs/filter", json=body, timeout=30, auth=PASSWORD).json()
    return [run["state"]["name"] for run in runs if run["start_time"]]


def test_a_schedule_goes_on_after_its_server_and_serve_were_killed(project, start, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, hold = f"http://127.0.0.1:{port}/api", tmp_path / "hold"
    settings = {"PREFECT_API_URL": address, "PREFECT_HOME": str(tmp_path / "prefect")}
    settings |= {name: ":".join(PASSWORD) for name in ("PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")}
    serve = ("flows.cli", "schedule", "--every", "4", *options(project))
    serving = ("prefect", "server", "start", "--port", str(port), "--no-ui")
    hold.touch()
    with reported(tmp_path / "log"):
        server = start(*serving, **settings)
        wait_until(lambda: answers(address))
        first = start(*serve, **settings, TOY_HOLD=str(hold))
        wait_until(hold.with_suffix(".reached").exists)
        for process in (first, server):
            process.kill()
            process.wait()
        start(*serving, **settings)
        wait_until(lambda: answers(address))
        skipped = states(address).count("Skipped")
        second = start(*serve, **settings)
        # The run is still at work, alone; what comes due is skipped, and one may be left of what came due before.
        wait_until(lambda: states(address).count("Skipped") > skipped + 1)
        assert saved(project) == []
        hold.unlink()
        wait_until(lambda: saved(project))
        assert saved(project)[-1] == ("trained", "promoted")
        assert second.is_running()


def test_a_work_pool_goes_on_after_its_worker_and_a_run_were_killed(project, start, tmp_path, prefect_server):
    hold, settings = tmp_path / "hold", {"PREFECT_API_URL": prefect_server}
    settings |= {"SMALLSET_REPOSITORY": str(remote(project)), "SMALLSET_CHECKOUT": str(checkout(project))}
    hold.touch()
    deployed = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    [deployment] = deployed["deployments"]
    deployment["parameters"] |= {"repository": str(remote(project)), "checkout": str(checkout(project))}
    (tmp_path / "prefect.yaml").write_text(yaml.safe_dump(deployed))
    shutil.copytree(ROOT / "flows", tmp_path / "flows", ignore=shutil.ignore_patterns("__pycache__"))

    def ask_for_a_run() -> None:
        from prefect.client.orchestration import get_client
        from prefect.states import Scheduled

        with get_client(sync_client=True) as client:
            client.create_flow_run_from_deployment(
                client.read_deployment_by_name("smallset-retrain/weekly").id, state=Scheduled()
            )

    with reported(tmp_path / "log"):
        for command in (["work-pool", "create", "smallset", "--type", "process"], ["deploy", "--name", "weekly"]):
            done = start("prefect", "--no-prompt", *command, cwd=tmp_path, **settings)
            assert done.wait(timeout=PATIENCE) == 0
        ask_for_a_run()
        worker = start("prefect", "worker", "start", "--pool", "smallset", **settings, TOY_HOLD=str(hold))
        wait_until(hold.with_suffix(".reached").exists)
        [run] = [one for one in worker.children(recursive=True) if "prefect.engine" in one.cmdline()][:1]
        # Power fails: nobody is left to tell the server, which believes the run at work for good.
        for process in (worker, run):
            process.kill()
        worker.wait()
        ask_for_a_run()
        start("prefect", "worker", "start", "--pool", "smallset", "--run-once", **settings).wait(timeout=PATIENCE)
        assert saved(project) == [("trained", "promoted")]
        assert (checkout(project) / ".smallset" / "starts").read_text().split() == ["0", "2"]
        assert states(prefect_server)[:2] == ["Promoted", "Running"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_serve_that_is_told_to_go_ends_its_stages_and_no_run_stays_running(project, start, tmp_path, number, site):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, hold = f"http://127.0.0.1:{port}/api", tmp_path / "hold"
    settings = {"PREFECT_API_URL": address, "PREFECT_HOME": str(tmp_path / "prefect")}
    settings |= {name: ":".join(PASSWORD) for name in ("PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")}
    hold.touch()
    with reported(tmp_path / "log"):
        start("prefect", "server", "start", "--port", str(port), "--no-ui", **settings)
        wait_until(lambda: answers(address))
        serving = start("flows.cli", "schedule", "--every", "10", *options(project), **settings, TOY_HOLD=str(hold))
        wait_until(hold.with_suffix(".reached").exists)
        below = serving.children(recursive=True)
        assert any("train.py" in process.cmdline() for process in below)
        serving.send_signal(number)
        # A second one cuts nothing short.
        time.sleep(0.5)
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=PATIENCE) == 128 + number
        assert not [process for process in below if process.is_running()]
        assert "Crashed" in states(address)
        assert "Running" not in states(address)
        assert "ended" in [post["event"] for post in site.posts]
        assert "Traceback" not in (tmp_path / "log").read_text()
