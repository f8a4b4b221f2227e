"""A DVC remote that somebody has written to, or that rots: retraining, the gate, `compare` and workers beside it."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml

from flows.errors import FlowError
from flows.project import cache
from flows.project.revisions import fetch_directory, fetch_results
from tests.flows.project.test_dvc_guard import overwrite, place
from tests.flows.versions_project import checkout, commit_source, git, make_project, moved_copy, retrain
from tests.flows.versions_project import dvc as run_dvc

MODEL = "models/classifier"
ATTACKS = {
    "a list that leads out": lambda entries: [*entries, entries[0] | {"relpath": "../../train.py"}],
    "a checksum that leads out": lambda entries: [*entries, {"relpath": "x", "md5": "ab/../../../../train.py"}],
    "another list": lambda entries: entries[:1],
}


def listed(store: Path) -> Path:
    """The list of the model's files in a store."""
    (found,) = (store / "files" / "md5").rglob("*.dir")
    return found


def attack(store: Path, name: str) -> None:
    file = listed(store)
    overwrite(file, json.dumps(ATTACKS[name](json.loads(file.read_bytes()))).encode())


def garble(store: Path) -> None:
    entry = next(one for one in json.loads(listed(store).read_bytes()) if one["relpath"] == "model.keras")
    overwrite(place(store, entry["md5"]), b"garbled")


@pytest.fixture(scope="module")
def ran(homes, tmp_path_factory) -> Path:
    """A project that has run once, is committed and pushed, and whose own cache is lost."""
    project = make_project(tmp_path_factory.mktemp("ran") / "project")
    run_dvc("repro", "--quiet", folder=project)
    run_dvc("push", "--quiet", "--run-cache", folder=project)
    git("add", "--all", folder=project)
    git("commit", "--quiet", "--message", "A run", folder=project)
    git("push", "--quiet", "origin", "main", folder=project)
    shutil.rmtree(project / MODEL)
    shutil.rmtree(project / ".dvc" / "cache")
    return project


@pytest.fixture
def project(ran, tmp_path) -> Path:
    return moved_copy(ran, tmp_path)


@pytest.fixture
def store(project, monkeypatch) -> Path:
    """The remote of such a project, in which the test stands."""
    monkeypatch.chdir(project)
    return project.with_name("project-storage")


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_is_laid_down_by_any_way_to_fetch(project, store, tmp_path, name):
    before = (project / "train.py").read_bytes()
    attack(store, name)
    assert "checksum is another" in cache.fetch_missing()
    with pytest.raises(FlowError, match=r"^models/classifier of main: .*damaged: its checksum is another"):
        fetch_directory("main", MODEL, tmp_path / "there" / "deep" / "deeper")
    assert (project / "train.py").read_bytes() == before
    assert not (project / MODEL).exists()
    assert not (tmp_path / "there").exists()


def test_a_garbled_file_is_refused_by_any_way_to_fetch(project, store, tmp_path):
    garble(store)
    assert "damaged" in cache.fetch_missing()
    assert not (project / MODEL / "model.keras").exists()
    with pytest.raises(FlowError, match=r"^models/classifier/model\.keras of main: damaged: it is not what its check"):
        fetch_directory("main", MODEL, tmp_path / "there")
    run_dvc("repro", "--quiet", folder=project)
    assert (project / MODEL / "model.keras").read_text() == (project / "source").read_text()


def test_compare_refuses_a_garbled_table(project, store, tmp_path):
    content = yaml.safe_load((project / "dvc.yaml").read_text())
    content["stages"]["evaluate"]["outs"] = ["evaluation/x/predictions.csv"]
    (project / "dvc.yaml").write_text(yaml.safe_dump(content))
    git("rm", "--quiet", "--cached", "evaluation/x/predictions.csv", folder=project)
    run_dvc("repro", "--quiet", "--force", folder=project)
    run_dvc("push", "--quiet", folder=project)
    git("add", "--all", folder=project)
    git("commit", "--quiet", "--message", "Tables under DVC", folder=project)
    shutil.rmtree(project / ".dvc" / "cache")
    checksum = hashlib.md5((project / "evaluation/x/predictions.csv").read_bytes()).hexdigest()
    overwrite(place(store, checksum), b"path,label\n")
    with pytest.raises(
        FlowError, match=r"^evaluation/x/predictions\.csv of HEAD: damaged: it is not what its checksum"
    ):
        fetch_results("HEAD", tmp_path / "there")


@pytest.mark.usefixtures("prefect_server", "impatient")
@pytest.mark.parametrize("harm", ["garbled", *(pytest.param(one, marks=pytest.mark.slow) for one in ATTACKS)])
def test_a_retraining_beside_such_a_remote_decides_nothing_wrong(project, harm, monkeypatch):
    assert retrain(project)[0] == "Promoted"
    before, store = (project / "train.py").read_bytes(), project.with_name("project-storage")
    garble(store) if harm == "garbled" else attack(store, harm)
    shutil.rmtree(checkout(project) / ".dvc" / "cache")
    shutil.rmtree(checkout(project) / MODEL)
    # DVC's index has the list as it was; without it there is only that of the remote.
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(project.with_name("another-site-cache")))
    commit_source(project, 0.9)
    state, message = retrain(project)
    assert (checkout(project) / "train.py").read_bytes() == before
    assert state == "Undecided"
    assert "damaged" in message
    assert "\n" not in message
