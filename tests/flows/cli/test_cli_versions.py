"""`smallset history`, `promote`, `rollback` on saved runs, and the settings of `smallset retrain`."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli.app import app
from flows.project.git import git, resolve
from flows.registry import gto, history, run_record, saved_runs
from flows.registry.saved_runs import Workspace
from tests.flows.versions_project import clone, make_project, moved_copy, remote, repro


def smallset(*arguments: str) -> Result:
    found = CliRunner().invoke(app, arguments)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


@pytest.fixture(scope="module")
def made(homes, tmp_path_factory):
    """A project with two saved runs, of which the first has been promoted."""
    project = make_project(tmp_path_factory.mktemp("made") / "project")
    for name, accuracy, decision in (("one", 0.8, "promoted"), ("two", 0.9, "rejected")):
        repro(project, accuracy)
        record = {
            "id": name,
            "source": resolve("HEAD", project),
            "outcome": "trained",
            "decision": decision,
            "reason": "as [seen]",
            "summary": json.loads((project / "report" / "summary.json").read_text()),
            "data": {"images": {"train": 1200, "test": 40}},
            "run": {"started": "2026-11-24T03:00:00+00:00"},
        }
        saved_runs.save(record, Workspace(project, "main"), "Run")
    gto.promote(resolve("run/one", project), "first", project)
    return project


@pytest.fixture
def runs(made, tmp_path, monkeypatch):
    """A copy of it, in which the test stands."""
    project = moved_copy(made, tmp_path)
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", "250")
    return project


def test_history_shows_when_what_how_good_and_what_was_decided(runs):
    two, one = [line for line in smallset("history").stdout.splitlines() if "as [seen]" in line]
    assert re.search(
        r"2026-11-24 03:00:00 +│ two +│ \w{8} │ +1,200 \+ 40 │ x +│ 0\.900 \(0\.800 to 1\.000\) │ rejected", two
    )
    assert "in use" not in two
    assert re.search(r"│ one .* 0\.800 .*│ promoted +│ v1\.0\.0, in use │ as \[seen\]", one)
    latest, _ = json.loads(smallset("history", "--json").stdout)
    assert (latest["run"], latest["measured"], latest["in_use"]) == ("run/two", [0.9, 0.8, 1.0], False)
    assert len(json.loads(smallset("history", "--json", "--most", "1").stdout)) == 1
    assert smallset("history", "--branch", "other").stdout.startswith("no saved runs yet")
    assert [one.version for one in history.read_history(Workspace(Path(), "main"))] == ["", "v1.0.0"]


def test_history_and_the_commit_show_the_measure_that_counted(runs):
    summary = {"recommended": "x", "headline": "balanced_accuracy", "accuracy": 0.9}
    summary |= {"balanced_accuracy": 0.5, "balanced_accuracy_low": 0.41, "balanced_accuracy_high": 0.59}
    record = {"id": "three", "source": resolve("HEAD", runs), "outcome": "trained", "reason": "as [seen]"}
    saved = run_record.save(record | {"summary": summary}, Workspace(Path(), "main"))
    latest = smallset("history").stdout
    assert "0.500 (0.410 to 0.590) balanced" in latest
    assert json.loads(smallset("history", "--json").stdout)[0]["headline"] == "balanced_accuracy"
    message = git("log", "-1", "--format=%s", saved.commit, folder=runs)
    assert message == "Run: x balanced accuracy 0.5000 (0.4100 to 0.5900), saved"


def test_promote_and_rollback_change_what_is_in_use(runs):
    assert "run/two: the gate rejected it: as [seen]; --force puts" in smallset("promote").stderr
    found = smallset("promote", "--force", "--message", "good in the field")
    assert found.stdout.startswith("in use: classifier v1.1.0, commit ")
    commit = resolve("run/two", runs)
    assert f"here only: `smallset promote {commit[:8]} --push` tells the others" in found.stdout
    assert gto.in_use(runs).commit == resolve("run/two", runs)
    assert smallset("promote", "run/two", "--force").stderr == "error: classifier v1.1.0 is in use already\n"
    assert smallset("promote", "run/three").stderr.startswith("error: run/three: expected a saved run")
    assert smallset("rollback", "--message", "worse at night").stdout.startswith("in use: classifier v1.0.0")
    assert gto.in_use(runs).message == "worse at night"
    assert smallset("rollback").stderr.startswith("error: v1.0.0 is the first version that was in use")


def test_a_promotion_in_a_clone_without_runs_of_its_own_reaches_the_repository(runs, monkeypatch):
    git("push", "--quiet", "origin", "runs/main", "refs/tags/*", folder=runs)
    other = clone(runs, "other")
    monkeypatch.chdir(other)
    assert "run/two: no model" in smallset("promote", "run/one^{}", "--push").stderr.replace("run/one^{}", "run/two")
    assert smallset("promote", "run/two", "--push", "--force").stdout.endswith("; pushed\n")
    assert gto.in_use(remote(runs)).version == "v1.1.0"
    assert [one.name for one in saved_runs.versions(Workspace(remote(runs), "main"))] == ["run/two", "run/one"]


def test_without_a_saved_run_there_is_nothing_to_promote(project, monkeypatch):
    monkeypatch.chdir(project)
    assert smallset("promote").stderr.startswith("error: main: no saved run")
    assert smallset("rollback").stderr.startswith("error: nothing is in use")


def test_settings_of_a_retraining_are_read_as_yaml(monkeypatch, tmp_path):
    given = {}
    monkeypatch.setattr(
        "flows.retraining.retrain.run_retrain", lambda **parameters: given.update(parameters) or ("done", 0)
    )
    monkeypatch.chdir(tmp_path)
    settings = [
        "scratch.learning_rate=1e-3",
        "download.url=http://host/a?b=c",
        "scratch.augmentation=null",
        "a.b=[1, 2]",
    ]
    options = [word for setting in settings for word in ("--set", setting)]
    assert smallset("retrain", "--repository", "git@host:x.git", "--checkout", "work", *options).stdout == "done\n"
    assert given == {
        "repository": "git@host:x.git",
        "branch": "main",
        "checkout": str(tmp_path / "work"),
        "profile": None,
        "overrides": {
            "scratch.learning_rate": 0.001,
            "download.url": "http://host/a?b=c",
            "scratch.augmentation": None,
            "a.b": [1, 2],
        },
        "width": None,
        "workers": None,
    }


@pytest.mark.parametrize("setting", ["scratch.epochs", "scratch.epochs=[1"])
def test_a_setting_that_is_none_is_one_line(setting):
    found = smallset("retrain", "--set", setting)
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert found.stderr.startswith("error: --set: expected KEY=VALUE")


def test_the_page_looks_back_to_the_last_saved_run_with_other_results(runs):
    from flows.run.page_slots import CHANGE
    from flows.run.run_page import SLOT

    (runs / "report" / "report.html").write_text(f"<p>{CHANGE}{SLOT}</p>")
    assert smallset("report").exit_code == 0
    text = " ".join((runs / "report" / "run.html").read_text().split())
    then = "(run/one, 2026-11-24): accuracy 80.0 % (70.0 to 90.0 %) then, accuracy 90.0 % (80.0 to 100.0 %) now, +10.0"
    assert then in text
    assert "smallset compare run/one" in text
    assert "run/two" not in text
