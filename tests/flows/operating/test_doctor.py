"""`smallset doctor` and `smallset show`: what is in order and what is not, of a real project, its remotes and a run."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from flows.cli.app import app
from flows.operating import check as doctor_check
from flows.operating import machine, schedule
from flows.operating import storage as doctor_storage
from flows.project.dvc_guard import DVC
from flows.project.git import git, resolve
from flows.registry import gto, saved_runs
from flows.registry.saved_runs import Workspace
from flows.retraining import checkout_places, last_run
from tests.flows.versions_project import make_project, repro


def smallset(*arguments: str) -> Result:
    found = CliRunner().invoke(app, arguments)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


def looked() -> dict[str, str]:
    """State of each check; of several of one name the worst."""
    found = json.loads(smallset("doctor", "--json").stdout)
    order = ("ok", "warning", "failure")
    states: dict[str, str] = {}
    for check in found:
        states[check["name"]] = max(states.get(check["name"], "ok"), check["state"], key=order.index)
        assert bool(check["todo"]) == (check["state"] != "ok"), check
    return states


@pytest.fixture
def project(saved_project, tmp_path, monkeypatch) -> Path:
    """A clone of its own of the same."""
    folder = tmp_path / "project"
    git("clone", "--quiet", str(saved_project.with_name("project.git")), str(folder), folder=tmp_path)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(checkout_places, "home", lambda: tmp_path / "checkouts")
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setattr(schedule, "_server", list)
    monkeypatch.setattr(doctor_storage, "_probe", lambda name: doctor_check.ok(f"DVC remote {name}", "not probed"))
    return folder


_PROBE = doctor_storage._probe


@pytest.fixture
def probing(project, monkeypatch) -> None:
    """With the real probe of DVC's remote, a process each time."""
    monkeypatch.setattr(doctor_storage, "_probe", _PROBE)


def storage_of(saved_project: Path) -> Path:
    return saved_project.with_name("project-storage")


def test_all_is_well_in_a_fresh_clone(saved_project, project, probing):
    states = looked()
    assert "failure" not in states.values(), states
    assert {states[name] for name in ("origin", "DVC remote storage", "model in use", "model in the remote")} == {"ok"}
    assert not list(storage_of(saved_project).glob("smallset-probe*"))
    # The probe of the right to push pushed nothing.
    assert "smallset-doctor" not in git("ls-remote", "origin")


def test_a_damaged_model_in_the_remote_is_a_failure_also_where_this_machine_has_it(saved_project, project, tmp_path):
    storage = tmp_path / "copy"
    shutil.copytree(storage_of(saved_project), storage)
    config = (project / ".dvc" / "config").read_text().replace(str(storage_of(saved_project)), str(storage))
    (project / ".dvc" / "config").write_text(config)
    subprocess.run([*DVC, "fetch", "--all-tags", "--quiet"], check=True)
    for file in (storage / "files").rglob("*"):
        if file.is_file() and b"accuracy" in file.read_bytes():
            file.chmod(0o644)
            file.write_bytes(b"garbled")
    states = looked()
    assert (states["model in use"], states["model in the remote"]) == ("ok", "failure")
    assert smallset("doctor").exit_code == 1
    shutil.rmtree(project / ".dvc" / "cache")
    assert looked()["model in use"] == "failure"


@pytest.mark.parametrize("place", ["../storage", "storage", "./deep/er"])
def test_a_relative_remote_is_a_failure(project, place):
    config = (project / ".dvc" / "config").read_text()
    lines = [f"    url = {place}" if "url" in line else line for line in config.splitlines()]
    (project / ".dvc" / "config").write_text("\n".join(lines))
    assert looked()["DVC remote"] == "failure"
    # Nothing is made there.
    assert not (project / ".dvc" / place).exists()


def test_what_is_here_only_and_what_others_lack_is_said(project):
    repro(project, 0.9)
    git("branch", "runs/main", "origin/runs/main")
    saved_runs.save({"id": "two", "source": resolve("HEAD")}, Workspace(project, "main"), "Run two")
    gto.promote(resolve("run/two"), "better", project)
    states = looked()
    assert (states["saved runs"], states["promotions"]) == ("warning", "warning")
    assert states["model in the remote"] == "failure"
    out = smallset("doctor").stdout
    assert "here only: 1 of runs/main" in out
    assert "here only: classifier#production#2" in out


def test_remotes_that_are_gone_or_that_nobody_may_write_are_told(saved_project, project, probing, tmp_path):
    git("remote", "set-url", "origin", "https://somebody:hunter2secret@127.0.0.1:9/x.git")
    config = (
        (project / ".dvc" / "config").read_text().replace(str(storage_of(saved_project)), str(tmp_path / "unmounted"))
    )
    (project / ".dvc" / "config").write_text(config)
    found = smallset("doctor")
    states = looked()
    assert (states["origin"], states["DVC remote storage"]) == ("failure", "warning")
    assert "hunter2secret" not in found.stdout + smallset("doctor", "--json").stdout
    assert not (tmp_path / "unmounted").exists()


def test_clocks_names_interrupted_runs_and_the_last_ones_are_looked_at(project, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    environment = {
        "GIT_COMMITTER_DATE": "2099-01-01T00:00:00Z",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    git("tag", "--annotate", "--message", "x", "far", env=environment)
    git("config", "smallset.checkoutOf", str(project.resolve()))
    (project / ".smallset").mkdir()
    (project / ".smallset" / "unfinished").touch()
    states = looked()
    assert (states["clock"], states["identity"], states["interrupted run"]) == ("warning", "warning", "warning")
    last_run.keep("UpToDate", "nothing new", True, project)
    assert looked()[f"retraining in {project}"] == "ok"
    last_run.keep("Failed", "split: \x1b]0;x\x07 no images", False, project)
    found = smallset("doctor")
    assert (found.exit_code, looked()[f"retraining in {project}"]) == (1, "failure")
    assert "last success just now" in found.stdout
    for state, is_success, expected in (("NotPushed", False, "failure"), ("Undecided", True, "warning")):
        last_run.keep(state, "run/1: x", is_success, project)
        assert looked()[f"retraining in {project}"] == expected, state
    assert "\x1b" not in found.stdout


def test_a_project_without_git_and_a_repository_without_runs_are_no_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(checkout_places, "home", lambda: tmp_path / "checkouts")
    monkeypatch.setattr(schedule, "_server", list)
    folder = tmp_path / "a \u202e\x1b[31m name"
    folder.mkdir()
    (folder / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(folder)
    found = smallset("doctor")
    assert (found.exit_code, "\x1b" in found.stdout, "\u202e" in found.stdout) == (1, False, False)
    assert {check["name"] for check in json.loads(smallset("doctor", "--json").stdout)} >= {"git", "storage", "disk"}
    assert smallset("show").stderr.startswith("error: git: expected a repository with a commit")
    make_project(tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    assert "failure" not in looked().values()
    assert smallset("show", "in-use").stderr.startswith("error: nothing is in use")


def test_other_versions_than_those_of_the_lock_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = ["typer==0.0.1 \\", "    --hash=sha256:00", "no-such-package==1.0", "pytest==1 ; sys_platform == 'never'"]
    Path("requirements.lock").write_text("\n".join(lines))
    check = machine._versions()
    assert check.state == "warning"
    assert "typer 0.0.1 (found" in check.found
    assert "no-such-package 1.0 (found none)" in check.found
    assert "pytest" not in check.found


def test_a_schedule_is_alive_only_with_a_heartbeat(project):
    here = str(Path().resolve())
    row = {"name": "main", "parameters": {"repository": here}, "schedules": [{"active": True}], "status": "READY"}
    row["last_polled"] = datetime.now(UTC).isoformat()
    states = {
        "ok": [row],
        "failure": [row | {"status": "NOT_READY"}],
        "warning": [row | {"paused": True}],
    }
    for state, rows in states.items():
        assert [check.state for check in schedule._deployments(rows)] == [state]
    assert [one.state for one in schedule._deployments([row | {"parameters": {"repository": "/x"}}])] == ["warning"]


def test_a_server_with_a_password_is_asked_with_it(monkeypatch):
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    asked = []
    settings = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_API_AUTH_STRING: "smallset:pass:word"}

    def request(method, address, **options):
        asked.append(options["auth"])
        return httpx.Response(200, json=[], request=httpx.Request(method, address))

    monkeypatch.setattr(httpx, "request", request)
    with temporary_settings(settings):
        assert schedule._server()[0].state == "ok"
    assert asked == [("smallset", "pass:word")] * 2


def test_promotions_of_which_nothing_is_known_here_yet_are_said(project):
    tags = git("tag", "--list", f"{gto.ARTIFACT}*").split()
    git("tag", "--delete", *tags)
    out = smallset("doctor").stdout
    assert "promotions: not known here yet: classifier#production#1" in out


def test_show_says_everything_of_a_run_and_of_the_model_in_use(saved_project, project):
    found = json.loads(smallset("show", "in-use", "--json").stdout)
    assert (found["run"], found["in_use"], found["metrics"]) == ("run/one", True, {})
    assert found["source"]["subject"] == "Start"
    [use] = found["promotions"]
    assert (use["version"], use["by"], use["why"], use["replaced"]) == ("v1.0.0", "the gate", "the first", None)
    assert found["decision"]["made_here"] is False
    text = smallset("show", "run/one").stdout
    assert smallset("show").stdout == smallset("show", "one").stdout == text
    assert "\x1b" not in text
    assert "smallset dvc artifacts get ADDRESS classifier --rev v1.0.0" in text
    for name in ("main", "--all", "nowhere"):
        assert smallset("show", "--", name).stderr.startswith(f"error: {name}: expected a saved run")


def test_show_and_history_take_secrets_and_bombs_of_strangers(project):
    bomb = "a: &a {x: 1}\n" + "".join(
        f"{n}: &{n} {{p: *{m} , q: *{m} }}\n" for m, n in pairwise("abcdefghijklmnopqrstuvwxyzABCDEF")
    )
    (project / "params.yaml").write_text(f"download:\n  url: https://host/x?sig=hunter2secret\n{bomb}")
    (project / "evaluation" / "x").mkdir(parents=True, exist_ok=True)
    (project / "evaluation" / "x" / "figures.json").write_text(
        '{"accuracy": 0.9, "accuracy_low": 0.8, "loss": "[red]"}'
    )
    (project / "run.json").write_text('{"id": "three", "outcome": "trained"}')
    git("add", "--force", "params.yaml", "run.json", "evaluation/x/figures.json")
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    commit = git(*who, "commit-tree", git("write-tree"), "-p", "origin/runs/main", "-m", "x")
    git("update-ref", "refs/heads/runs/main", commit)
    git("tag", "run/three", commit)
    shown = smallset("show", "three").stdout + smallset("show", "three", "--json").stdout
    assert "hunter2secret" not in shown
    assert json.loads(smallset("show", "three", "--json").stdout)["metrics"] == {
        "x": {"accuracy": 0.9, "accuracy_low": 0.8}
    }
    keys = json.loads(smallset("history", "--json").stdout)[0].keys()
    assert {"run", "commit", "source", "seconds", "decision", "instead_of", "archive", "classifier", "is_kept"} <= keys
