"""Stages on two workers of a real Dask cluster, each in a git clone of its own, with one DVC remote."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flows.errors import FlowError
from flows.execution.stage_log import read_log
from flows.execution.watching import Watcher, watched_by
from flows.project.git import git
from tests.flows import versions_project
from tests.flows.cluster import cluster
from tests.flows.workers_project import NAMES, dvc, prepare, run, stages

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def project(make, tmp_path) -> Path:
    return prepare(make(stages(tmp_path / "meeting")))


def test_the_same_as_in_one_workspace(project, tmp_path, monkeypatch):
    single = tmp_path / "single"
    shutil.copytree(project, single)
    # Not committed: they come along.
    for folder in (project, single):
        (folder / "params.yaml").write_text("epochs: 2\n")
    lines = []

    class Lines(Watcher):
        def said(self, name, line):
            lines.append([name, line])

    with cluster(project) as address:
        with watched_by(Lines()):
            assert run(address) == dict.fromkeys(NAMES, "ran")
        assert ["train@x", "training x"] in lines
        assert "training x" in list(read_log("train@x"))
        assert "up to date" in dvc("status")
        assert run(address) == dict.fromkeys(NAMES, "up to date")
    assert not (tmp_path / "one" / "images" / "own").exists()
    monkeypatch.chdir(single)
    (tmp_path / "meeting" / "x").touch()
    (tmp_path / "meeting" / "y").touch()
    dvc("repro")
    one, other = (yaml.safe_load((folder / "dvc.lock").read_text()) for folder in (project, single))
    assert one == other
    for name in ("sum", "print", "m/x/figures", "m/y/kept", "m/x/.gitignore", ".gitignore"):
        assert sorted((project / name).read_text().split()) == sorted((single / name).read_text().split())


@pytest.mark.slow
def test_a_failure_on_a_worker_is_one_line_and_the_next_run_goes_on(project, tmp_path):
    (project / "meet.py").write_text("import sys; sys.exit('error: no [images]' if sys.argv[1] == 'x' else 0)")
    git("commit", "--quiet", "--all", "--message", "It fails")
    with cluster(project) as address:
        found = dict.fromkeys(NAMES, "ran") | {"train@x": "no [images]", "sum": "a stage before it failed"}
        assert run(address) == found
        (project / "meet.py").write_text("")
        with pytest.raises(FlowError, match=r"workers run what is committed: meet\.py differs from commit \w{8}"):
            run(address)
        git("commit", "--quiet", "--all", "--message", "It works")
        # The clones fetch the commit.
        assert run(address) == dict.fromkeys(NAMES, "ran") | dict.fromkeys(("download", "print"), "up to date")


def test_no_prefect_server_no_remote_no_scheduler_are_each_one_line(project, monkeypatch):
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.remote import workers

    monkeypatch.setattr(workers, "CONNECT", 0.5)
    with pytest.raises(FlowError, match=r"tcp://127\.0\.0\.1:9: expected a Dask scheduler"):
        run("tcp://127.0.0.1:9")
    with temporary_settings({PREFECT_API_URL: None}), pytest.raises(FlowError, match="workers need a Prefect server"):
        run("tcp://127.0.0.1:9")
    dvc("remote", "remove", "storage")
    with pytest.raises(FlowError, match="workers need a DVC remote"):
        run("tcp://127.0.0.1:9")
    assert not (project / "dvc.lock").exists()


@pytest.mark.slow
def test_a_run_of_a_work_pool_uses_the_workers(tmp_path, prefect_server):
    from prefect.client.orchestration import get_client
    from prefect.states import Scheduled

    made = versions_project.make_project(tmp_path / "project")
    deployed = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    [deployment] = deployed["deployments"]
    places: dict[str, str] = {}
    shutil.copytree(ROOT / "flows", tmp_path / "flows", ignore=shutil.ignore_patterns("__pycache__"))

    def prefect(*arguments: str) -> None:
        environment = os.environ | {"PREFECT_API_URL": prefect_server, "PREFECT_WORKER_QUERY_SECONDS": "1"}
        environment |= {f"SMALLSET_{name.upper()}": value for name, value in places.items()}
        command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=200)

    with cluster(versions_project.remote(made)) as address:
        places |= {
            "repository": str(versions_project.remote(made)),
            "checkout": str(versions_project.checkout(made)),
            "workers": address,
        }
        deployment["parameters"] |= places
        (tmp_path / "prefect.yaml").write_text(yaml.safe_dump(deployed))
        prefect("work-pool", "create", "smallset", "--type", "process")
        prefect("deploy", "--name", "weekly")
        with get_client(sync_client=True) as client:
            found = client.read_deployment_by_name("smallset-retrain/weekly")
            client.create_flow_run_from_deployment(found.id, state=Scheduled())
        prefect("worker", "start", "--pool", "smallset", "--run-once")
    assert versions_project.saved(made) == [("trained", "promoted")]
    # Trained by a worker, and nowhere else.
    assert not (versions_project.checkout(made) / ".smallset" / "starts").exists()
    assert [name for name in ("one", "two") if (tmp_path / name / ".smallset" / "starts").exists()]
