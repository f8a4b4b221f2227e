"""How git is called: what a user has set for himself, and odd names, change no answer."""

import os
import subprocess
from functools import partial
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.project.git import Refused, Unanswered, content, git, is_ancestor, resolve, update_of
from flows.project.git_names import check_branch
from flows.registry import saved_runs
from flows.run.provenance import commit_and_changes


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, of somebody with settings of his own."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--initial-branch=main")
    for key, value in {"user.name": "x", "user.email": "x@localhost", "status.showUntrackedFiles": "no"}.items():
        git("config", key, value)
    git("commit", "--quiet", "--allow-empty", "--message", "one")
    return tmp_path


def test_an_untracked_file_is_a_change_whatever_somebody_has_set(here: Path) -> None:
    (here / "new.py").touch()
    assert commit_and_changes() == (resolve("HEAD"), ["new.py"])


@pytest.mark.parametrize("setting", ["GIT_ICASE_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS"])
def test_a_path_is_no_pattern(setting: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever somebody takes a path for in his own commands, which git has no two of."""
    monkeypatch.setenv(setting, "1")
    for name in ("a.py", "*.py", ":(top)a.py"):
        (here / name).touch()
    git("add", "--", "*.py", ":(top)a.py")
    assert git("ls-files", "-z").split("\0")[:-1] == ["*.py", ":(top)a.py"]


def test_a_reference_that_has_moved_meanwhile_stays(here: Path) -> None:
    first = str(resolve("HEAD"))
    git("commit", "--quiet", "--allow-empty", "--message", "two")
    second = str(resolve("HEAD"))
    for old in (first, None):
        with pytest.raises(Refused):
            git("update-ref", "--stdin", text=update_of("refs/heads/main", first, old))
    assert resolve("HEAD") == second
    git("update-ref", "--stdin", text=update_of("refs/heads/main", first, second) + update_of("refs/x", first, None))
    assert resolve("HEAD") == resolve("refs/x") == first


def test_without_an_answer_of_git_nothing_is_taken_for_a_no(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = subprocess.run

    def hanging(words: list[str], **options: object) -> object:
        if "symbolic-ref" in words or "check-ref-format" in words:
            raise subprocess.TimeoutExpired(words, 1)
        return run(words, **options)

    monkeypatch.setattr(subprocess, "run", hanging)
    with pytest.raises(Unanswered):
        saved_runs.current_branch()
    with pytest.raises(Unanswered):
        check_branch("a-branch-that-nobody-has-asked-for")


def test_a_git_that_was_ended_has_not_answered(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where memory runs out: what it was asked for may be there."""
    ended = here / "bin" / "git"
    ended.parent.mkdir()
    ended.write_text("#!/bin/sh\nkill -KILL $$\n")
    ended.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ended.parent}{os.pathsep}{os.environ['PATH']}")
    for ask in (partial(resolve, "HEAD"), partial(is_ancestor, "HEAD", "HEAD"), partial(content, "HEAD", "a.py")):
        with pytest.raises(Unanswered, match=r"^git [a-z-]+: ended by signal 9$"):
            ask()


def test_a_project_inside_the_repository_of_something_else_has_no_saved_runs(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = here / "project"
    inside.mkdir()
    (inside / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(inside)
    with pytest.raises(FlowError, match=r"^expected a git repository in the project's own folder, found none in "):
        saved_runs.Workspace.here()
