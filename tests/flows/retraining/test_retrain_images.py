"""`flows.retraining.retrain`: whose images a scheduled run takes; with the real stage `download`, git and DVC."""

import shutil
from pathlib import Path

import pytest
import yaml

from flows.project.git import git
from flows.project.source import are_drawings
from flows.registry import gto
from tests.flows.images_project import (
    SAMPLE,
    commit,
    folder_at,
    make_images_project,
    put_under_dvc,
    set_params,
    taken,
    write_birds,
)
from tests.flows.versions_project import checkout, commit_source, dvc, remote, retrain

WAYS = ["add", *(pytest.param(way, marks=pytest.mark.slow) for way in ("import", "import-url"))]
pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def project(homes, tmp_path) -> Path:
    return make_images_project(tmp_path / "project")


def test_what_is_surely_a_drawing():
    assert are_drawings({"source": "sample", "path": "sources"})
    # Of old versions, which took what was in `images` and else drew; or of something that is no project of ours.
    for download in ({"source": "sample", "path": "images"}, {"source": "folder", "path": "birds"}, {}):
        assert not are_drawings(download)


def in_use(project: Path) -> str | None:
    found = gto.in_use(remote(project))
    return found.commit if found else None


@pytest.mark.parametrize("way", WAYS)
def test_it_takes_the_images_that_dvc_tracks_as_the_branch_has_them(way, project):
    put_under_dvc(project, way)
    set_params(project, **folder_at("birds"))
    commit(project, "Birds")
    dvc("push", folder=project)
    assert retrain(project)[0] == "Promoted"
    assert taken(checkout(project)) == ["robin/1.jpg", "wren/1.jpg"]
    assert retrain(project)[0] == "UpToDate"

    # Another birds.dvc: the images of the run before lie in the checkout.
    if way == "add":
        (project / "birds" / "robin" / "1.jpg").unlink()
        write_birds(project / "birds", "wren/2.jpg")
        dvc("add", "birds", folder=project)
    else:
        elsewhere = project.with_name("elsewhere")
        (elsewhere / "birds" / "robin" / "1.jpg").unlink()
        write_birds(elsewhere / "birds", "wren/2.jpg")
        if way == "import":
            dvc("add", "birds", folder=elsewhere)
            git("commit", "--quiet", "--all", "--message", "Other birds", folder=elsewhere)
        dvc("update", "birds.dvc", folder=project)
    dvc("push", folder=project)
    commit(project, "Other birds")
    assert retrain(project)[0] == "Unchanged"
    assert taken(checkout(project)) == ["wren/1.jpg", "wren/2.jpg"]


@pytest.mark.slow
def test_a_shared_cache_needs_no_remote_for_them(project, tmp_path):
    dvc("cache", "dir", str(tmp_path / "cache"), folder=project)
    put_under_dvc(project, "add")
    set_params(project, **folder_at("birds"))
    commit(project, "Birds")
    assert retrain(project)[0] == "Promoted"
    assert taken(checkout(project)) == ["robin/1.jpg", "wren/1.jpg"]


def test_what_nobody_has_pushed_is_one_line(project):
    put_under_dvc(project, "add")
    set_params(project, **folder_at("birds"))
    commit(project, "Birds")
    name, message = retrain(project)
    assert name == "Failed"
    assert message.startswith("download.path: birds: dvc pull birds.dvc: ")
    assert "\n" not in message


NEITHER = "download.path: birds: neither git nor DVC has it; commit and push it, or what `dvc add`"
OUTSIDE = "download.path: ../birds leads out of the checkout that this runs in; commit and push it"


@pytest.mark.parametrize(("path", "expected"), [("birds", NEITHER), ("../birds", OUTSIDE)])
def test_a_model_of_real_images_is_never_replaced_where_they_are_missing(path, expected, project):
    """They lay where only the person's own folder has them: drawings were trained, compared and promoted instead."""
    put_under_dvc(project, "add")
    set_params(project, **folder_at("birds"))
    commit(project, "Birds")
    dvc("push", folder=project)
    retrain(project)
    before = in_use(project)
    # Still in the checkout, and ignored by git there; or beside it by chance.
    git("rm", "--quiet", "birds.dvc", folder=project)
    write_birds(checkout(project).with_name("birds"))
    set_params(project, **folder_at(path))
    commit_source(project, 0.9)
    name, message = retrain(project)
    assert (name, in_use(project)) == ("Failed", before)
    assert message.startswith(expected)
    assert not list(Path(checkout(project)).glob("data/*.partial"))


def test_drawings_never_replace_a_model_of_something_else(project, tmp_path):
    """Not even where they are asked for, as by `smallset use default` on a branch of real images."""
    set_params(project, **folder_at(write_birds(tmp_path / "birds")))
    commit(project, "Birds")
    retrain(project)
    before = in_use(project)
    set_params(project, **SAMPLE)
    commit_source(project, 0.95)
    name, message = retrain(project)
    assert (name, in_use(project)) == ("Rejected", before)
    assert "it has learnt drawings, and v1.0.0 in use has not" in message


@pytest.mark.slow
def test_drawings_replace_drawings(project):
    assert retrain(project)[0] == "Promoted"
    commit_source(project, 0.95)
    assert retrain(project)[0] == "Promoted"
    assert "train/cat.0.jpg" in taken(checkout(project))


@pytest.mark.slow
def test_what_an_earlier_commit_left_in_the_checkout_is_not_taken(project):
    """Git ignores it, as it did when DVC tracked it."""
    put_under_dvc(project, "add")
    set_params(project, **folder_at("birds"))
    commit(project, "Birds")
    dvc("push", folder=project)
    retrain(project)
    git("rm", "--quiet", "birds.dvc", folder=project)
    shutil.rmtree(project / "birds")
    write_birds(project / "birds", "robin/7.jpg", "wren/7.jpg")
    git("add", "--force", "birds", folder=project)
    commit(project, "Birds in git")
    assert retrain(project)[0] == "Unchanged"
    assert taken(checkout(project)) == ["robin/7.jpg", "wren/7.jpg"]


@pytest.mark.slow
def test_a_path_may_be_given_with_the_schedule(project, tmp_path):
    birds = write_birds(tmp_path / "birds")
    assert retrain(project, overrides={"download.source": "folder", "download.path": str(birds)})[0] == "Promoted"
    assert taken(checkout(project)) == ["robin/1.jpg", "wren/1.jpg"]
    assert yaml.safe_load((project / "params.yaml").read_text())["download"]["source"] == "sample"
