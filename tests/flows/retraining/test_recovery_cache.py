"""Damage in DVC's cache, which DVC itself does not notice: found by checksum, fetched again or made again."""

import os
import shutil
from pathlib import Path

import pytest

from flows.project import cache
from flows.project.graph import read_stages, up_to_date
from tests.flows.versions_project import checkout, retrain, saved
from tests.flows.versions_project import dvc as run_dvc

MODEL = Path("models") / "classifier"


def objects(folder: Path) -> list[Path]:
    """The files of a cache, or of a remote."""
    return [path for path in (folder / "files" / "md5").rglob("*") if path.is_file()]


def damage(folder: Path, holding: bytes) -> None:
    """Turn over a byte of every file that holds these, and leave its date and its protection as they are."""
    for path in objects(folder):
        content = bytearray(path.read_bytes())
        if holding in content:
            status = path.stat()
            content[-1] ^= 1
            path.chmod(0o644)
            path.write_bytes(content)
            path.chmod(0o444)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
def model(project, monkeypatch) -> Path:
    """The model of a project that has run once, and been pushed."""
    monkeypatch.chdir(project)
    run_dvc("repro", "--quiet", folder=project)
    run_dvc("push", "--quiet", "--run-cache", folder=project)
    return project / MODEL / "model.keras"


def lose(model: Path, *damaged: Path) -> None:
    for folder in damaged:
        damage(folder, b'"accuracy": 0.8')
    shutil.rmtree(model.parent)


def test_damaged_files_are_fetched_again(project, model):
    before = model.read_bytes()
    lose(model, project / ".dvc" / "cache")
    cache.fetch_missing()
    assert model.read_bytes() == before
    stages = read_stages()
    assert len(up_to_date(stages)) == len(stages)


def test_damage_in_the_remote_too_is_not_taken(project, model):
    lose(model, project / ".dvc" / "cache", project.with_name("project-storage"))
    cache.fetch_missing()
    assert not model.exists()
    run_dvc("repro", "--quiet", folder=project)
    assert model.read_text() == (project / "source").read_text()


def test_a_damaged_list_of_files_is_fetched_again(project, model):
    before = model.read_bytes()
    lose(model)
    damage(project / ".dvc" / "cache", b'"relpath"')
    cache.fetch_missing()
    assert model.read_bytes() == before


@pytest.mark.usefixtures("prefect_server")
def test_a_retraining_makes_damaged_files_again_and_says_the_same(project):
    assert retrain(project)[0] == "Promoted"
    model = checkout(project) / MODEL / "model.keras"
    before = model.read_bytes()
    lose(model, checkout(project) / ".dvc" / "cache", project.with_name("project-storage"))
    assert retrain(project)[0] == "UpToDate"
    assert model.read_bytes() == before
    assert saved(project) == [("trained", "promoted")]
    assert (checkout(project) / ".smallset" / "starts").read_text() == "0\n0\n"


@pytest.mark.usefixtures("prefect_server")
def test_what_dvc_restores_of_an_earlier_run_is_no_damaged_file(make, dvc):
    from flows.run.pipeline import run_pipeline

    project = make(
        {
            "one": {"cmd": "cp source a", "deps": ["source"], "outs": ["a"]},
            "two": {"cmd": "cp a b", "deps": ["a"], "outs": ["b"]},
        }
    )
    for content in ("first", "second"):
        (project / "source").write_text(content)
        dvc("repro", "--quiet")
    damage(project / ".dvc" / "cache", b"first")
    (project / "source").write_text("first")
    assert {one.name: str(one.outcome) for one in run_pipeline(1)} == {"one": "ran", "two": "restored"}
    assert (project / "b").read_text() == "first"
