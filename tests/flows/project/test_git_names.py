"""Branches and repositories that are options, revisions or commands; a checkout that runs nothing of a stranger's."""

from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.project.git import content, git, resolve
from flows.project.git_names import check_branch, check_repository
from flows.registry import saved_runs
from flows.registry.saved_runs import Workspace
from flows.retraining.checkout import checked_out
from flows.retraining.checkout_places import default_folder

NO_BRANCHES = [
    "", "-", "--force", "-d", "main~0", "main^", "main@{u}", "main@{0}", "@{-1}", "@", "HEAD", "a..b", "../main", "a b",
    "main:main", "main\n", "main\0", "ma*n", "ma?n", "[main]", "a\\b", "main.lock", "main/", "/main", "a//b", ".main",
    "main.", "main\x1b", "a/.b",
]  # fmt: skip
COMMANDS = [
    "ext::sh -c touch% pwned", "EXT::sh -c touch", "fd::3", "persistent-https::x", "::x", "ext://x",
    "--upload-pack=touch pwned", "-u", "", "a\nb", "a\0b", "gopher://x", "ftp://host/x.git", "rsync://host/x",
]  # fmt: skip


def commit(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--message", name, folder=folder)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@example.com")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    folder = tmp_path / "project"
    git("init", "--quiet", "--initial-branch", "main", str(folder), folder=tmp_path)
    commit(folder, "params.yaml", "one: 1\n")
    return folder


@pytest.mark.parametrize("name", NO_BRANCHES)
def test_no_branch_is_an_option_or_another_ones_revision(name: str, project: Path, tmp_path: Path) -> None:
    for use in (check_branch, saved_runs.branch_of, lambda name: list(saved_runs.versions(Workspace(project, name)))):
        with pytest.raises(FlowError, match=r"^[^\n]*expected the name of a branch[^\n]*$"):
            use(name)
    with (
        pytest.raises(FlowError, match="expected the name of a branch"),
        checked_out(str(project), name, tmp_path / "to"),
    ):
        pytest.fail("stood in it")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("name", ["main", "feature/x-1", "größer", "a.b", "x@y", "--x"[2:], "runs/main"])
def test_names_that_people_have(name: str) -> None:
    assert check_branch(name) == name


@pytest.mark.parametrize("address", COMMANDS)
def test_no_repository_is_a_command(
    address: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FlowError, match="expected the folder of a repository"):
        check_repository(address)
    with pytest.raises(FlowError), checked_out(address, "main", tmp_path / "to"):
        pytest.fail("stood in it")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "address",
    ["https://host/a.git", "ssh://git@host:22/a", "git@host:a/b.git", "host:a", "file:///a/b", "git://host/a", "C:/a"],
)
def test_addresses_that_people_have(address: str) -> None:
    assert check_repository(address) == address


def test_a_remote_of_the_projects_own_settings_is_no_command_either(project: Path, tmp_path: Path) -> None:
    git("remote", "add", "evil", f"ext::sh -c touch% {tmp_path / 'pwned'}", folder=project)
    with pytest.raises(FlowError, match="transport 'ext' not allowed"):
        git("fetch", "evil", folder=project)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "revision", ["--all", "-h", "--git-dir", "--output=pwned", "main\0", "main..main", "main:params.yaml"]
)
def test_no_revision_is_an_option(revision: str, project: Path) -> None:
    assert resolve(revision, project) is None
    assert content("HEAD", "params.yaml", project) == "one: 1"
    assert sorted(path.name for path in project.iterdir()) == [".git", "params.yaml"]


def test_a_checkout_runs_nothing_of_what_it_checks_out(project: Path, tmp_path: Path) -> None:
    """A user who has hooks by a relative path has those of every tree; filters, file watchers, submodules likewise."""
    pwned = f"#!/bin/sh\ntouch {tmp_path}/pwned\n"
    for hook in ("post-checkout", "post-merge", "reference-transaction", "pre-push"):
        commit(project, f".githooks/{hook}", pwned)
    commit(project, "watch", pwned)
    commit(project, ".gitattributes", "* filter=evil diff=evil\n")
    commit(project, ".gitmodules", f'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% {tmp_path}/pwned\n')
    settings = {
        "core.hooksPath": ".githooks",
        "core.fsmonitor": "./watch",
        "submodule.recurse": "true",
        "fetch.recurseSubmodules": "true",
    }
    for number in range(2):
        for key, value in settings.items():
            git("config", "--global", key, value)
        with checked_out(str(project), "main", tmp_path / "to"):
            assert Path("params.yaml").read_text() == "one: 1\n"
            git("status", "--porcelain")
        (tmp_path / "home" / ".gitconfig").unlink()
        commit(project, f"more{number}", "x")
    assert not (tmp_path / "pwned").exists()


def test_a_run_that_a_hook_starts_works_on_its_own_repository(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    git("init", "--quiet", str(other), folder=tmp_path)
    (other / "mine.txt").write_text("not committed\n")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    with checked_out(str(project), "main", tmp_path / "to"):
        assert Path("params.yaml").read_text() == "one: 1\n"
    assert (other / "mine.txt").read_text() == "not committed\n"


def test_the_folder_of_a_checkout_lies_where_checkouts_lie() -> None:
    for branch in ("main", "../../x", "/etc", "a/b"):
        assert default_folder("https://host/../..", branch).parent.name == "checkouts"
