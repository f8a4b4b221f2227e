"""`flows.project.inputs`: the images that the parameters name are here as DVC tracks them, or one line says why."""

import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.execution.process_output import Outcome
from flows.project.git import git
from flows.project.graph import read_stages
from flows.project.outputs import files_in_git, results_in_git
from flows.remote.handover import read_needs
from flows.remote.worker import Order, deliver
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
from tests.flows.versions_project import clone, dvc

BIRDS = ["robin/1.jpg", "wren/1.jpg"]
WAYS = ["add", "import", "import-url"]


@pytest.fixture(scope="module")
def drawings(homes, tmp_path_factory) -> Path:
    return make_images_project(tmp_path_factory.mktemp("drawings") / "project")


@pytest.fixture
def project(drawings, tmp_path, monkeypatch) -> Path:
    """Stand in a project of drawings, with remotes of its own."""
    for name in ("project", "project.git", "project-storage"):
        shutil.copytree(drawings.with_name(name), tmp_path / name)
    git("remote", "set-url", "origin", str(tmp_path / "project.git"), folder=tmp_path / "project")
    dvc("remote", "modify", "storage", "url", str(tmp_path / "project-storage"), folder=tmp_path / "project")
    commit(tmp_path / "project", "Its own remotes")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def refused(match: str) -> None:
    with pytest.raises(FlowError, match=match) as caught:
        read_stages()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("way", ["add", *(pytest.param(way, marks=pytest.mark.slow) for way in WAYS[1:])])
def test_what_dvc_tracks_comes_along_everywhere(way, project, tmp_path, monkeypatch):
    put_under_dvc(project, way)
    set_params(project, **folder_at("birds"))
    commit(project, "Birds")
    dvc("repro", "download", folder=project)
    assert taken(project) == BIRDS
    read_stages()
    commit(project, "A run")
    lock = (project / "dvc.lock").read_text()
    dvc("push", folder=project)

    shown = dvc("exp", "run", "--temp", "--set-param", "download.sample_per_class=2", "download", folder=project)
    assert "source folder: 2 files from birds" in shown
    git("worktree", "add", "--quiet", "--detach", str(tmp_path / "worktree"), folder=project)
    for folder in (clone(project, "clone"), tmp_path / "worktree"):
        monkeypatch.chdir(folder)
        refused("^download.path: birds: DVC tracks birds, and it is not here")
        dvc("pull", "birds.dvc", folder=folder)
        shutil.rmtree(dvc("cache", "dir", folder=folder).strip())
        read_stages()
        write_birds(folder / "birds", "robin/2.jpg")
        refused("^download.path: birds is not what birds.dvc says")
        (folder / "birds" / "robin" / "2.jpg").unlink()
        dvc("repro", "--force", "download", folder=folder)
        assert taken(folder) == BIRDS
        assert (folder / "dvc.lock").read_text() == lock


@pytest.mark.slow
def test_a_queued_experiment_takes_them_too(project):
    put_under_dvc(project, "add")
    set_params(project, **folder_at("birds"))
    commit(project, "Birds")
    dvc("exp", "run", "--queue", "--name", "more", "--set-param", "download.sample_per_class=2", folder=project)
    dvc("exp", "run", "--run-all", folder=project)
    dvc("exp", "apply", "more", folder=project)
    assert taken(project) == BIRDS


def test_images_that_only_this_folder_has_fail_elsewhere_and_are_never_drawn(project, tmp_path):
    write_birds(project / "birds")
    with (project / ".gitignore").open("a") as ignore:
        ignore.write("/birds\n")
    set_params(project, **folder_at("birds"))
    commit(project, "Birds that git ignores")
    dvc("repro", "download", folder=project)
    assert taken(project) == BIRDS
    there = clone(project, "clone")
    for command, folder in (
        (["exp", "run", "--temp", "--set-param", "download.sample_per_class=2"], project),
        (["repro"], there),
    ):
        arguments = [sys.executable, "-m", "dvc", *command]
        done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert re.search(r"ERROR: failed to reproduce 'download': .*birds", done.stderr)
    assert not (there / "data" / "raw.zip").exists()


@pytest.mark.parametrize("name", ["US$ $(touch pwned) 'a' \"b\" [x]*;ü", "~"])
def test_dvc_and_the_stage_mean_the_same_path(name, project):
    put_under_dvc(project, "add", name)
    set_params(project, **folder_at(name))
    dvc("repro", "download", folder=project)
    assert taken(project) == BIRDS
    read_stages()
    write_birds(project / name, "robin/2.jpg")
    assert "modified" in dvc("status", "download", folder=project)
    refused(r"is not what .*\.dvc says")
    assert not (project / "pwned").exists()


def test_missing_images_are_one_line_with_the_path_and_the_ways_out(project):
    set_params(project, **folder_at("birds"))
    refused(
        "^download.path: birds: nothing is there; put your images there, or set it to where they are .*`dvc pull` "
        "and `dvc checkout`.*; if drawings are meant, set download.source: sample and download.path: sources$"
    )
    set_params(project, **folder_at("~/birds"))
    refused(f"^download.path: ~/birds: nothing is there; .* write it out, as {re.escape(str(Path.home()))}/birds$")
    set_params(project, **SAMPLE)
    shutil.rmtree("sources")
    refused("^download.path: sources: nothing is there; with download.source: sample .*`git checkout sources`")


@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_as_dvc_tracks_it_trains_nothing(way, project):
    """What `git pull` brings is another birds.dvc: the old images would train here, and others elsewhere."""
    put_under_dvc(project, way)
    set_params(project, **folder_at("birds"))
    read_stages()
    write_birds(project / "birds", "robin/2.jpg")
    keep = "dvc add birds" if way == "add" else "dvc commit birds.dvc"
    refused(
        f"^download.path: birds is not what birds.dvc says: `{keep}` if what is here is right, `dvc checkout "
        "birds.dvc` if what git has is$"
    )
    dvc(*keep.split()[1:], *(["--force"] if way != "add" else []), folder=project)
    read_stages()
    shutil.rmtree("birds")
    refused(
        "^download.path: birds: DVC tracks birds, and it is not here: `dvc checkout birds.dvc` .*`dvc pull birds.dvc`"
    )
    dvc("checkout", "birds.dvc", folder=project)
    read_stages()


def test_a_class_of_its_own_under_dvc_never_vanishes(project):
    write_birds(project / "birds")
    dvc("add", "birds/robin", "birds/wren", folder=project)
    set_params(project, **folder_at("birds"))
    dvc("repro", "download", folder=project)
    assert taken(project) == BIRDS
    shutil.rmtree("birds/wren")
    refused("^download.path: birds: DVC tracks birds/wren, and it is not here: `dvc checkout birds/wren.dvc`")


@pytest.mark.parametrize("other", ["birds/wren", "birds", "own"])
def test_a_project_of_dvc_among_the_images_is_told(other, project, tmp_path):
    """DVC looks into none but its own: changes there would be none, and what was made of other images up to date."""
    path = "own/birds" if other == "own" else "birds"
    write_birds(project / path)
    set_params(project, **folder_at(path))
    read_stages()
    (project / other / ".dvc").mkdir()
    refused(f"^download.path: {path}: {other} is a project of DVC of its own")
    shutil.copytree(project / path, tmp_path / "birds")
    set_params(project, **folder_at(tmp_path / "birds"))
    read_stages()


def test_what_other_folders_hold_is_of_no_concern(project):
    put_under_dvc(project, "add")
    shutil.rmtree("birds")
    read_stages()
    write_birds(project / "mine")
    set_params(project, **folder_at("mine"))
    read_stages()


def test_imported_images_need_nobody_to_answer(project):
    put_under_dvc(project, "import")
    set_params(project, **folder_at("birds"))
    shutil.rmtree(project.with_name("elsewhere"))
    read_stages()


def test_images_under_dvc_belong_to_a_saved_run_and_are_no_results(project):
    put_under_dvc(project, "add")
    set_params(project, **folder_at("birds"))
    assert {"birds.dvc", ".gitignore"} <= set(files_in_git())
    assert not {"birds.dvc", ".gitignore"} & set(results_in_git())


def test_a_worker_fetches_what_its_clone_can_know_of(project):
    put_under_dvc(project, "add")
    set_params(project, **folder_at("birds"))
    assert read_needs()["download"].only_here == "birds"
    commit(project, "Birds")
    needs = read_needs()["download"]
    assert (needs.only_here, needs.pulled) == (None, ("birds",))


def test_the_clone_of_a_worker_trains_on_the_very_same_images(project, tmp_path, monkeypatch):
    put_under_dvc(project, "add")
    set_params(project, **folder_at("birds"))
    commit(project, "Birds")
    dvc("push", "birds.dvc", folder=project)
    there = clone(project, "clone")
    # Git ignores it, and an order before this one may have left it.
    write_birds(there / "birds", "crow/1.jpg")
    monkeypatch.chdir(there)
    order = Order("download", git("rev-parse", "HEAD", folder=project), {}, {}, ("birds",), ())
    assert deliver(order, lambda _: None, threading.Event()).result.outcome is Outcome.RAN
    assert taken(there) == BIRDS
    # As when they lie in git by now.
    git("rm", "--quiet", "birds.dvc", folder=project)
    git("add", "--force", "birds/robin", folder=project)
    commit(project, "Birds in git")
    order = Order("download", git("rev-parse", "HEAD", folder=project), {}, {}, (), ())
    assert deliver(order, lambda _: None, threading.Event()).result.outcome is Outcome.RAN
    assert taken(there) == BIRDS[:1]
