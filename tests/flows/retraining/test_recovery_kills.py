"""A scheduled run that is killed, anywhere: the next one finishes its work, once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from flows.project.git import git
from flows.registry import gto, saved_runs
from flows.registry.saved_runs import Workspace
from tests.flows.versions_project import accuracy_of, checkout, has_data, options, remote, retrain, saved

pytestmark = pytest.mark.usefixtures("prefect_server")
# A run that is killed where it would call a function.
KILLED = """
import os, signal, sys
from importlib import import_module
import flows
module, name, repository, checkout = sys.argv[1:]
setattr(import_module(f"flows.{module}"), name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
from flows.retraining.retrain import run_retrain
run_retrain(repository=repository, checkout=checkout)
"""


def starts(project: Path) -> list[str]:
    """How many epochs were done at each start of the training."""
    return (checkout(project) / ".smallset" / "starts").read_text().split()


@pytest.fixture
def held(project, prefect_server, tmp_path, site):
    """A run in a process of its own, in the middle of its training."""
    hold = tmp_path / "hold"
    hold.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "retrain", *options(project)],
        env=os.environ | {"PREFECT_API_URL": prefect_server, "TOY_HOLD": str(hold)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not hold.with_suffix(".reached").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        hold.unlink()
        process.kill()
        process.wait()


def test_a_second_run_is_skipped_and_a_killed_run_is_finished_by_the_next(project, held, site):
    assert retrain(project) == ("Skipped", f"{checkout(project)}: another run is at work there")
    told = CliRunner().invoke(app, ["retrain", *options(project)])
    assert (told.exit_code, told.stdout) == (6, "")
    assert told.stderr.splitlines()[-1] == f"error: {checkout(project)}: another run is at work there"

    below = psutil.Process(held.pid).children(recursive=True)
    held.kill()
    held.wait()
    assert [process for process in below if process.is_running() and "train.py" in process.cmdline()]
    assert retrain(project)[0] == "Promoted"
    assert not [process for process in below if process.is_running()]
    assert starts(project) == ["0", "2"]
    assert [post["event"] for post in site.posts] == ["crashed", "promoted"]
    assert f"(process {held.pid}, begun 20" in site.posts[0]["text"]
    assert saved(project) == [("trained", "promoted")]
    assert accuracy_of(checkout(project) / "models" / "classifier") == 0.8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_told_to_go_ends_its_stages_says_so_and_is_finished_by_the_next(
    project, held, site, number, prefect_server
):
    below = psutil.Process(held.pid).children(recursive=True)
    held.send_signal(number)
    assert held.wait(timeout=60) in (128 + number, -number)
    assert not [process for process in below if process.is_running()]
    assert checkout(project).with_name("checkout.lock").read_text() == ""
    assert [post["event"] for post in site.posts] == ["ended"]
    assert states(prefect_server) == ["Crashed", "Crashed"]
    assert retrain(project)[0] == "Promoted"
    assert starts(project) == ["0", "2"]


def states(address: str) -> list[str]:
    """States of the run of the flow that began last, and of the one below it."""
    import requests

    body = {"sort": "START_TIME_DESC", "limit": 2}
    found = requests.post(f"{address}/flow_runs/filter", json=body, timeout=30).json()
    return [run["state"]["name"] for run in found]


def test_a_run_killed_after_its_work_is_saved_promoted_pushed_and_told_once(project, prefect_server, site):
    """Killed again and again, each time a step further: power fails between any two."""
    for name in ("saved_runs.save", "gto.promote", "gto._assign", "publish._push"):
        place = f"registry.{name}"
        command = [sys.executable, "-c", KILLED, *place.rsplit(".", 1), str(remote(project)), str(checkout(project))]
        environment = os.environ | {"PREFECT_API_URL": prefect_server}
        killed = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert killed.returncode == -signal.SIGKILL, f"{place}: {killed.stderr}"
    assert saved(project) == []
    assert retrain(project)[0] == "UpToDate"
    assert starts(project) == ["0"]
    assert [post["event"] for post in site.posts] == ["crashed"] * 4 + ["promoted"]
    assert saved(project) == [("trained", "promoted")]
    trained = list(saved_runs.versions(Workspace(remote(project), "main")))[-1]
    assert [one.commit for one in gto.promotions(remote(project))] == [trained.commit]
    assert has_data(project, trained.record["classifier"])


def tags_of(repository: Path) -> set[str]:
    return set(git("for-each-ref", "--format=%(refname)", "refs/tags", folder=repository).splitlines())


def test_tags_that_somebody_left_out_when_pushing_the_branch_go_out_with_the_next_run(project):
    assert retrain(project)[0] == "Promoted"
    tags = tags_of(remote(project))
    assert len(tags) == 3
    for tag in tags:
        git("update-ref", "-d", tag, folder=remote(project))
    assert gto.in_use(remote(project)) is None
    assert retrain(project)[0] == "UpToDate"
    assert tags <= tags_of(remote(project))
    assert gto.in_use(remote(project)).version == "v1.0.0"


def test_a_killed_stage_is_one_line_a_failed_run_and_a_word_to_the_outside(project, site, monkeypatch, tmp_path):
    monkeypatch.setenv("TOY_DIE", str(tmp_path / "die"))
    (tmp_path / "die").touch()
    name, message = retrain(project)
    assert name == "Failed"
    assert message == "train: killed (SIGKILL), as a system does that runs out of memory"
    assert saved(project) == [("failed", None)]
    [post] = site.posts
    assert post["event"] == "failed"
    assert post["text"] == f"main: {message}"

    assert retrain(project)[0] == "Promoted"
    assert starts(project) == ["0", "2"]
    assert saved(project) == [("trained", "promoted"), ("failed", None)]
    assert site.posts[-1]["event"] == "promoted"
