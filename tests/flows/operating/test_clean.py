"""`smallset clean`: what goes and what stays, with the real git, DVC and GTO; and what forms of `dvc gc` destroy."""

import fcntl
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli.app import app
from flows.operating import clean as cleaning
from flows.operating import clean_data
from flows.operating.clean_data import Doomed
from flows.project.git import git, resolve
from flows.registry import gto, publish, saved_runs
from flows.registry.saved_runs import Version, Workspace
from flows.retraining import checkout_places
from tests.flows.versions_project import clone, dvc, make_project, moved_copy, repro


def smallset(*arguments: str) -> Result:
    found = CliRunner().invoke(app, arguments)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


@pytest.fixture(scope="module")
def made(homes, tmp_path_factory) -> Path:
    """Five runs, pushed: 1 was promoted, 2 committed by a person, 3 and 5 have the same model."""
    project = make_project(tmp_path_factory.mktemp("made") / "project")
    for number, accuracy in enumerate((0.5, 0.6, 0.7, 0.8, 0.7), start=1):
        repro(project, accuracy)
        saved_runs.save(
            {"id": str(number), "source": resolve("HEAD", project)}, Workspace(project, "main"), f"Run {number}"
        )
        if number == 2:
            git("add", "--all", folder=project)
            git("commit", "--quiet", "--message", "Mine", folder=project)
    gto.promote(resolve("run/1", project), "first", project)
    dvc("push", "--all-tags", folder=project)
    publish.publish(Workspace(project, "main"))
    git("push", "--quiet", "origin", "main", folder=project)
    return project


@pytest.fixture
def project(made, tmp_path, monkeypatch) -> Path:
    """A copy of it and of its remotes."""
    folder = moved_copy(made, tmp_path)
    monkeypatch.setattr(checkout_places, "home", lambda: tmp_path / "checkouts")
    monkeypatch.chdir(folder)
    return folder


def kept(folder: Path) -> set[str]:
    """Runs whose model a store has."""
    found = set()
    for number in "12345":
        commit = git("rev-parse", f"runs/main~{5 - int(number)}")
        lock = git("show", f"{commit}:dvc.lock")
        checksum = next(
            line.split()[-1] for line in lock.splitlines() if line.strip().startswith("md5:") and ".dir" in line
        )
        if (folder / "files" / "md5" / checksum[:2] / checksum[2:]).exists():
            found.add(number)
    return found


@pytest.mark.slow
def test_only_what_nobody_needs_goes_and_again_it_does_nothing(project):
    storage, cache = project.with_name("project-storage"), project / ".dvc" / "cache"
    before = git("show-ref", "--tags"), sorted(storage.rglob("*")), sorted(cache.rglob("*"))
    dry = smallset("clean", "--keep", "1", "--dry-run", "--remote").stdout
    assert (git("show-ref", "--tags"), sorted(storage.rglob("*")), sorted(cache.rglob("*"))) == before
    assert "run/1: stays: it was promoted" in dry
    assert [line.split(":")[0] for line in dry.splitlines() if "its tag would go" in line] == [
        "run/4",
        "run/3",
        "run/2",
    ]
    assert "DVC remote storage: 2 files" in dry
    assert smallset("clean", "--keep", "1").exit_code == 0
    # Of 2 a person's commit has the data, of 3 the last run.
    assert (kept(cache), kept(storage)) == ({"1", "2", "3", "5"}, set("12345"))
    assert smallset("clean", "--keep", "1", "--remote").exit_code == 0
    assert kept(storage) == {"1", "2", "3", "5"}
    assert git("ls-remote", "--tags", "origin", "refs/tags/run/*").count("refs/tags/run/") == 2
    assert "0 runs" in smallset("clean", "--keep", "1", "--remote").stdout.splitlines()[-1]
    entries = json.loads(smallset("history", "--json", "--branch", "main").stdout)
    assert [one["is_kept"] for one in entries] == [True, False, False, False, True]
    # DVC knows that it is gone: the same again is pushed again.
    repro(project, 0.8)
    dvc("push", folder=project)
    assert "4" in kept(storage)


def test_a_run_at_work_is_respected_here_and_in_a_checkout(project, tmp_path):
    place = tmp_path / "checkouts" / "one"
    git("clone", "--quiet", "--config", f"smallset.checkoutOf={project}", str(project), str(place), folder=tmp_path)
    (project / ".smallset").mkdir(exist_ok=True)
    for lock in (place.with_name("one.lock"), project / ".smallset" / "run.lock"):
        with lock.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            assert "at work" in smallset("clean", "--keep", "1").stderr
    assert len(git("tag", "--list", "run/*").split()) == 5


def test_an_interrupted_cleaning_goes_on(project, monkeypatch):
    removing = clean_data.remove
    monkeypatch.setattr("flows.operating.clean.remove", lambda doomed: (_ for _ in ()).throw(KeyboardInterrupt))
    assert smallset("clean", "--keep", "1").exit_code == 130
    assert "4" in kept(project / ".dvc" / "cache")
    monkeypatch.setattr("flows.operating.clean.remove", removing)
    smallset("clean", "--keep", "1")
    assert kept(project / ".dvc" / "cache") == {"1", "2", "3", "5"}


@pytest.mark.slow
def test_unpushed_runs_and_a_shared_cache_stay_and_a_lost_remote_stops_it(project, tmp_path):
    repro(project, 0.9)
    saved_runs.save({"id": "6", "source": resolve("HEAD")}, Workspace(project, "main"), "Run 6")
    repro(project, 0.95)
    saved_runs.save({"id": "7", "source": resolve("HEAD")}, Workspace(project, "main"), "Run 7")
    assert "run/6: stays: nobody else has it yet" in smallset("clean", "--keep", "1", "--dry-run").stdout
    shutil.copytree(project / ".dvc" / "cache", tmp_path / "shared")
    dvc("cache", "dir", "--local", str(tmp_path / "shared"), folder=project)
    assert "perhaps shared: 0 files" in smallset("clean", "--keep", "2").stdout
    assert "4" in kept(tmp_path / "shared")
    git("remote", "set-url", "origin", str(tmp_path / "nowhere"))
    assert smallset("clean", "--keep", "1").exit_code == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "left"),
    [
        (["--workspace"], {"3", "5"}),
        (["--all-branches"], {"2", "3", "5"}),
        (["--all-tags"], set("12345")),
        (["--all-commits"], set("12345")),
        (["--rev", "runs/main", "--num", "2"], {"3", "4", "5"}),
    ],
)
def test_which_forms_of_dvc_gc_destroy_saved_runs(project, form, left):
    dvc("gc", *form, "--cloud", "--force", folder=project)
    assert kept(project.with_name("project-storage")) == left


@pytest.mark.slow
def test_dvc_gc_in_a_clone_destroys_what_only_branches_of_others_have(project):
    other = clone(project, "other")
    dvc("gc", "--all-branches", "--cloud", "--force", folder=other)
    # The branch runs/main is there as origin/runs/main only.
    assert kept(project.with_name("project-storage")) == {"2"}


@pytest.mark.parametrize(
    ("runs", "dry_run", "last"),
    [
        (1, False, "1 run: its tag goes, its figures stay in `smallset history`"),
        (2, False, "2 runs: their tags go, their figures stay in `smallset history`"),
        (1, True, "1 run: its tag would go, its figures stay in `smallset history`"),
    ],
)
def test_what_goes_is_said_of_one_and_of_several(runs, dry_run, last):
    plan = cleaning.Plan([Version(f"run/{number}", "a" * 40, {}) for number in range(runs)], [])
    said = list(cleaning._said(plan, [Doomed("DVC's cache", 12, None, ["one"])], dry_run))
    assert said[-2:] == [f"DVC's cache: 1 file of 12 bytes {'would go' if dry_run else 'goes'}", last]
