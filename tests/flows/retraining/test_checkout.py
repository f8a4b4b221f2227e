"""`flows.retraining.checkout`: the clean checkout of scheduled runs, and what it keeps its hands off."""

import os
import subprocess
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.project.git import git
from flows.project.workspace import MARK
from flows.retraining.checkout import checked_out


def repository(folder: Path) -> str:
    """One with a commit on main; its address."""
    git("init", "--quiet", "--initial-branch", "main", str(folder), folder=folder.parent)
    (folder / "params.yaml").write_text("one: 1\n")
    git("add", "params.yaml", folder=folder)
    git("commit", "--quiet", "--message", "One", folder=folder)
    return str(folder)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@example.com")
    return repository(tmp_path / "project")


def test_a_checkout_is_used_again_and_brought_to_the_branch(project, tmp_path):
    for number in (1, 2):
        Path(project, "params.yaml").write_text(f"one: {number}\n")
        git("commit", "--quiet", "--allow-empty", "--all", "--message", "Next", folder=project)
        with checked_out(project, "main", tmp_path / "checkout"):
            assert Path("params.yaml").read_text() == f"one: {number}\n"
            Path("params.yaml").write_text("left by a run\n")


def test_a_working_tree_of_somebody_is_refused_and_stays_as_it_is(project, tmp_path):
    git("clone", "--quiet", project, str(tmp_path / "mine"), folder=tmp_path)
    (tmp_path / "mine" / "params.yaml").write_text("not yet committed\n")
    (tmp_path / "mine" / "notes.txt").write_text("nor added\n")
    message = "mine: expected a checkout that an earlier run made, or nothing; found somebody's repository"
    with pytest.raises(FlowError, match=message), checked_out(project, "main", tmp_path / "mine"):
        pytest.fail("stood in it")
    assert (tmp_path / "mine" / "params.yaml").read_text() == "not yet committed\n"
    assert (tmp_path / "mine" / "notes.txt").read_text() == "nor added\n"


def test_the_checkout_of_another_repository_is_refused(project, tmp_path):
    with checked_out(project, "main", tmp_path / "checkout"):
        pass
    other = repository(tmp_path / "other")
    message = f"checkout: expected a checkout of {other}, found one of {project}"
    with pytest.raises(FlowError, match=message), checked_out(other, "main", tmp_path / "checkout"):
        pytest.fail("stood in it")


def test_a_folder_that_is_no_repository_is_refused(project, tmp_path):
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "notes.txt").write_text("mine\n")
    message = "checkout: expected a checkout that an earlier run made, or nothing; found another folder"
    with pytest.raises(FlowError, match=message), checked_out(project, "main", tmp_path / "checkout"):
        pytest.fail("stood in it")
    assert (tmp_path / "checkout" / "notes.txt").read_text() == "mine\n"


def test_an_unknown_branch_names_those_that_there_are(project, tmp_path):
    message = "expected a branch 'mian', found main"
    with pytest.raises(FlowError, match=message), checked_out(project, "mian", tmp_path / "checkout"):
        pytest.fail("stood in it")


def nothing_of_mine(folder: Path, name: str) -> Path:
    """A working tree, a plain folder, a worktree of a checkout, a file or a link: each with something in it."""
    match name:
        case "clone":
            git("init", "--quiet", str(folder), folder=folder.parent)
        case "folder":
            folder.mkdir()
        case "worktree":
            git("worktree", "add", "--quiet", "--detach", str(folder), "HEAD", folder=folder.with_name("made"))
        case "link":
            folder.symlink_to(folder.with_name("made"))
    notes = folder if name == "file" else folder / "notes.txt"
    notes.write_text("mine\n")
    return notes


@pytest.fixture
def made(project, tmp_path) -> Path:
    with checked_out(project, "main", tmp_path / "made"):
        return tmp_path / "made"


@pytest.mark.parametrize("name", ["clone", "folder", "worktree", "file"])
def test_a_refused_folder_loses_no_process_and_nothing_lies_beside_it(name, project, made, tmp_path):
    folder = tmp_path / "deep" / "mine"
    folder.parent.mkdir()
    made.rename(folder.parent / "made")
    notes = nothing_of_mine(folder, name)
    before = sorted(folder.parent.iterdir())
    work = subprocess.Popen(["sleep", "60"], env=os.environ | {MARK: str(folder)})
    try:
        with pytest.raises(FlowError, match="mine: expected a checkout"), checked_out(project, "main", folder):
            pytest.fail("stood in it")
        assert work.poll() is None
    finally:
        work.kill()
        work.wait()
    assert notes.read_text() == "mine\n"
    assert sorted(folder.parent.iterdir()) == before


@pytest.mark.parametrize("name", ["clone", "folder", "worktree", "file", "link"])
def test_what_lies_where_it_would_clone_to_is_not_deleted(name, project, made, tmp_path):
    notes = nothing_of_mine(tmp_path / "checkout.partial", name)
    message = "checkout.partial: expected nothing, or what a killed run left"
    with pytest.raises(FlowError, match=message), checked_out(project, "main", tmp_path / "checkout"):
        pytest.fail("stood in it")
    assert notes.read_text() == "mine\n"


def test_what_a_killed_run_has_half_cloned_is_made_anew(project, made, tmp_path):
    made.rename(tmp_path / "checkout.partial")
    (tmp_path / "checkout.partial" / ".git" / "HEAD").unlink()
    with checked_out(project, "main", tmp_path / "checkout"):
        assert Path("params.yaml").exists()
    assert not (tmp_path / "checkout.partial").exists()
