"""`flows.checkout`: the clean checkout of scheduled runs, and what it keeps its hands off."""

from pathlib import Path

import pytest

from flows.checkout import checked_out
from flows.errors import FlowError
from flows.git import git


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
