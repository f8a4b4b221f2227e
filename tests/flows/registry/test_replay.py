"""Runs of this workspace behind those that another one has pushed: git alone, no run of any stage."""

import json
from pathlib import Path

import pytest

from flows.project.git import GitError, git, resolve
from flows.registry import gto, promotion, publish, saved_runs
from flows.registry.names import commit_named
from flows.registry.saved_runs import Workspace

MINE, THEIRS = "refs/heads/runs/main", "refs/remotes/origin/runs/main"
WORKSPACE = Workspace(Path(), "main")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The commit that is run, in a repository of somebody."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--initial-branch=main")
    git("config", "user.name", "x")
    git("config", "user.email", "x@localhost")
    git("commit", "--quiet", "--allow-empty", "--message", "Source")
    return str(resolve("HEAD"))


def save(name: str, branch: str, source: str) -> str:
    """A run after the last one of a branch; its commit."""
    blob = git("hash-object", "-w", "--stdin", text=json.dumps({"id": name}))
    tree = git("mktree", text=f"100644 blob {blob}\trun.json\n")
    parents = [word for one in (resolve(branch), source) if one for word in ("-p", one)]
    commit = git("commit-tree", tree, *parents, text=f"Run {name}\n")
    git("update-ref", branch, commit)
    git("update-ref", f"refs/tags/run/{name}", commit)
    return commit


def runs() -> list[str]:
    return [one.name for one in saved_runs.versions(WORKSPACE)]


@pytest.mark.parametrize("known", ["none", "theirs alone", "mine alone", "mine follow theirs", "theirs follow mine"])
def test_where_nothing_is_apart_nothing_moves(source: str, known: str) -> None:
    if known in ("theirs alone", "mine follow theirs"):
        save("theirs", THEIRS, source)
    if known == "mine follow theirs":
        git("update-ref", MINE, str(resolve(THEIRS)))
    if known in ("mine alone", "mine follow theirs", "theirs follow mine"):
        save("mine", MINE, source)
    if known == "theirs follow mine":
        git("update-ref", THEIRS, str(resolve(MINE)))
        save("theirs", THEIRS, source)
    before, mine, theirs = runs(), resolve(MINE), resolve(THEIRS)
    assert publish.replay(WORKSPACE) == {}
    assert runs() == before
    # What only others have is here too then.
    assert resolve(MINE) == (theirs if known.startswith("theirs") else mine)


def test_mine_move_behind_theirs_with_their_names_words_and_sources(source: str) -> None:
    theirs = save("theirs", THEIRS, source)
    old = [save(name, MINE, source) for name in ("one", "two")]
    moved = publish.replay(WORKSPACE)
    assert list(moved) == old
    assert runs() == ["run/two", "run/one", "run/theirs"]
    assert [resolve(f"run/{name}") for name in ("one", "two")] == [moved[one] for one in old]
    assert git("log", "-1", "--format=%P %s", "run/one") == f"{theirs} {source} Run one"


def test_a_run_that_another_process_saves_meanwhile_is_not_lost(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    save("theirs", THEIRS, source)
    mine = save("mine", MINE, source)
    meanwhile: list[str] = []

    def interrupted(*arguments: str, **options: object) -> str:
        if arguments[0] == "commit-tree" and not meanwhile:
            meanwhile.append(save("meanwhile", MINE, source))
        return git(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(GitError, match="runs/main"):
        patch.setattr(publish, "git", interrupted)
        publish.replay(WORKSPACE)
    assert (resolve(MINE), resolve("run/mine")) == (meanwhile[0], mine)
    publish.replay(WORKSPACE)
    assert runs() == ["run/meanwhile", "run/mine", "run/theirs"]


def test_a_run_is_called_by_its_name_its_version_or_its_commit(source: str) -> None:
    one, two = save("one", MINE, source), save("two", MINE, source)
    gto.promote(one, "first")
    assert {commit_named(name) for name in ("one", "run/one", "v1.0.0", "in-use", one)} == {one}
    assert commit_named("runs/main") == two
    assert {commit_named(name) for name in ("-x", "v2.0.0", "three")} == {None}


def test_the_last_run_is_promoted_whatever_its_name_has_been_given_to(source: str) -> None:
    Path("dvc.yaml").write_text("stages: {}\n")
    mine = save("mine", MINE, source)
    git("update-ref", "refs/tags/run/mine", source)
    promotion.promote(None, "by hand", None, push=False, force=True)
    assert [one.commit for one in gto.promotions()] == [mine]


def test_a_tag_of_somebodys_own_is_not_replaced_by_one_of_the_same_name_elsewhere(source: str, tmp_path: Path) -> None:
    git("init", "--quiet", "--bare", "origin.git")
    git("remote", "add", "origin", str(tmp_path / "origin.git"))
    run = save("theirs", MINE, source)
    git("update-ref", "refs/tags/baseline", source)
    git("push", "--quiet", "origin", "main", "runs/main", "refs/tags/baseline", "refs/tags/run/theirs")
    git("update-ref", "refs/tags/baseline", run)
    git("update-ref", "-d", "refs/tags/run/theirs")
    publish.catch_up(WORKSPACE)
    assert (resolve("refs/tags/baseline"), resolve("refs/tags/run/theirs")) == (run, run)
