"""A damaged repository says so and how to get rid of it; nothing of it is taken for what never was."""

import os
from pathlib import Path

import pytest

from flows.project.git import Unanswered, content, git, resolve
from flows.registry import saved_runs
from flows.registry.saved_runs import Workspace

HOW = {
    "empty": lambda file: file.write_bytes(b""),
    "garbage": lambda file: file.write_bytes(os.urandom(file.stat().st_size)),
    "cut": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "gone": lambda file: file.unlink(),
}


@pytest.fixture
def saved(tmp_path, monkeypatch) -> str:
    """A repository with one saved run; its commit."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--initial-branch=runs/main")
    Path("sub").mkdir()
    Path("sub/file").write_text("hello")
    Path("run.json").write_text('{"id": "1"}')
    git("add", "--all")
    git("-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "--quiet", "--message", "Run")
    for name in ("run.json", "sub/file"):
        Path(name).unlink()
    return str(resolve("HEAD"))


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("what", ["", "^{tree}", ":run.json"])
def test_a_damaged_object_is_told_and_no_run_is_lost_without_a_word(saved, what, how):
    checksum = git("rev-parse", f"HEAD{what}")
    file = Path(".git/objects", checksum[:2], checksum[2:])
    file.chmod(0o644)
    HOW[how](file)
    with pytest.raises(Unanswered) as found:
        list(saved_runs.versions(Workspace(Path(), "main")))
    assert "\n" not in str(found.value)
    assert f"`git -C {Path.cwd()} fsck`" in str(found.value)


def test_what_never_was_is_none(saved):
    assert content("HEAD", "nothing") is None
    assert content("HEAD", "sub/nothing") is None
    assert content("nowhere", "run.json") is None
    assert (resolve("nowhere"), resolve("0" * 39 + "1"), resolve("HEAD:run.json")) == (None, None, None)


@pytest.mark.parametrize("how", ["empty", "garbage", "locked"])
def test_a_damaged_or_locked_index_says_what_removes_it(saved, how):
    index = Path(".git/index")
    if how == "locked":
        index.with_name("index.lock").touch()
    else:
        HOW[how](index)
    with pytest.raises(Unanswered, match="index") as found:
        git("add", "--update")
    assert "\n" not in str(found.value)
    command = str(found.value).split("`")[1]
    assert os.system(f"{command} > /dev/null 2>&1") == 0 or how != "locked"
    assert git("add", "--update") == ""


def test_a_worktree_has_an_index_of_its_own(saved):
    git("worktree", "add", "--quiet", "--detach", "my tree", saved)
    index = next(Path(".git/worktrees").glob("*/index"))
    index.write_bytes(b"garbage")
    with pytest.raises(Unanswered, match="its index is damaged") as found:
        git("status", folder="my tree")
    command = str(found.value).split("`")[1]
    assert os.system(f"{command} > /dev/null 2>&1") == 0
    assert git("status", "--porcelain", folder="my tree") == ""
