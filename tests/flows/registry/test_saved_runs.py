"""`flows.registry`: what a run leaves behind, with real git, DVC and GTO."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.project.git import GitError, git, resolve
from flows.registry import gto, publish, saved_runs
from flows.registry.saved_runs import Workspace
from tests.flows.versions_project import accuracy_of, clone, dvc, repro, write_source

pytestmark = pytest.mark.usefixtures("impatient")


def save(folder: Path, accuracy: float, name: str) -> saved_runs.Version:
    repro(folder, accuracy)
    return saved_runs.save({"id": name, "source": resolve("HEAD", folder)}, Workspace(folder, "main"), f"Run {name}")


def test_a_saved_run_leaves_tree_index_and_branch_of_whoever_works_there_alone(project):
    (project / "notes.txt").write_text("mine")
    write_source(project, 0.81)
    git("add", "source", folder=project)
    dvc("repro", "--quiet", folder=project)
    before = git("status", "--porcelain", folder=project), resolve("HEAD", project)
    saved = saved_runs.save({"id": "1"}, Workspace(project, "main"), "Run 1")
    assert (git("status", "--porcelain", folder=project), resolve("HEAD", project)) == before
    files = git("ls-tree", "-r", "--name-only", saved.commit, folder=project).splitlines()
    assert {"dvc.lock", "params.yaml", "report/summary.json", "run.json", "models/.gitignore", "source"} <= set(files)
    assert "notes.txt" not in files
    assert json.loads(git("show", "run/1:run.json", folder=project)) == {"id": "1"}


def test_dvc_compares_saved_runs_and_gives_back_the_files_of_each(project):
    first = save(project, 0.8, "1")
    model = (project / "models" / "classifier" / "model.keras").read_bytes()
    save(project, 0.9, "2")
    changes = json.loads(dvc("metrics", "diff", "run/1", "run/2", "--json", folder=project))
    assert changes["report/summary.json"]["accuracy"]["diff"] == pytest.approx(0.1)
    assert dvc("params", "diff", "run/1", "run/2", "--json", folder=project).strip() == "{}"
    assert "0.8" in dvc("exp", "show", "--rev", "run/1", "--csv", folder=project)
    git("checkout", "--quiet", "--force", "run/1", folder=project)
    dvc("checkout", folder=project)
    assert (project / "models" / "classifier" / "model.keras").read_bytes() == model
    assert "up to date" in dvc("status", folder=project)
    assert [one.name for one in saved_runs.versions(Workspace(project, "main"))] == ["run/2", "run/1"]
    assert saved_runs.latest(Workspace(project, "main")).record["source"] == first.record["source"]


def test_a_run_of_one_clone_comes_back_in_another_from_the_remotes_alone(project):
    save(project, 0.8, "1")
    publish.publish(Workspace(project, "main"))
    other = clone(project, "other")
    shutil.rmtree(project)
    git("checkout", "--quiet", "run/1", folder=other)
    dvc("pull", folder=other)
    assert accuracy_of(other / "models" / "classifier") == 0.8
    assert "didn't change" in dvc("repro", folder=other) or "up to date" in dvc("repro", folder=other)


def test_of_two_workspaces_the_later_one_puts_its_runs_behind_those_of_the_earlier(project):
    other = clone(project, "other")
    mine, theirs = save(project, 0.8, "mine"), save(other, 0.7, "theirs")
    publish.publish(Workspace(other, "main"))
    publish.publish(Workspace(project, "main"))
    tip = git("rev-parse", "runs/main", folder=project)
    assert git("ls-remote", "origin", "runs/main", folder=project).split()[0] == tip
    assert [one.name for one in saved_runs.versions(Workspace(project, "main"))] == ["run/mine", "run/theirs"]
    assert git("rev-parse", "runs/main^", folder=project) == theirs.commit
    moved = resolve("run/mine", project)
    assert moved == tip != mine.commit
    assert git("rev-parse", f"{moved}^{{tree}}", folder=project) == git(
        "rev-parse", f"{mine.commit}^{{tree}}", folder=project
    )


def test_a_remote_that_is_gone_keeps_everything_for_the_next_push(project):
    remote, storage = project.with_name("project.git"), project.with_name("project-storage")
    save(project, 0.8, "1")
    remote.rename(remote.with_name("away.git"))
    with pytest.raises(publish.NotPublished, match="git push: gave up after 4 tries"):
        publish.publish(Workspace(project, "main"))
    assert not publish.is_published(Workspace(project, "main"))
    shutil.rmtree(storage)
    save(project, 0.9, "2")
    remote.with_name("away.git").rename(remote)
    storage.mkdir()
    publish.publish(Workspace(project, "main"))
    assert publish.is_published(Workspace(project, "main"))
    other = clone(project, "other")
    for name, accuracy in (("run/1", 0.8), ("run/2", 0.9)):
        git("checkout", "--quiet", "--force", name, folder=other)
        dvc("pull", "--force", folder=other)
        assert accuracy_of(other / "models" / "classifier") == accuracy


def test_promotions_are_tags_of_gto_and_can_be_taken_back(project):
    one, two = save(project, 0.8, "1"), save(project, 0.9, "2")
    assert gto.in_use(project) is None
    assert gto.promote(one.commit, "first", project).version == "v1.0.0"
    assert gto.promote(two.commit, "better", project).version == "v1.1.0"
    assert gto.in_use(project).commit == two.commit
    back = gto.rollback("worse in the field", project)
    assert (back.version, back.commit, back.message) == ("v1.0.0", one.commit, "worse in the field")
    with pytest.raises(FlowError, match=r"v1\.0\.0 is the first version"):
        gto.rollback("again", project)
    with pytest.raises(FlowError, match="in use already"):
        gto.promote(one.commit, "again", project)
    publish.publish(Workspace(project, "main"))
    other = clone(project, "other")
    assert gto.in_use(other).version == "v1.0.0"
    dvc("artifacts", "get", str(project), "classifier", "--rev", "v1.1.0", "--out", "fetched", folder=other)
    assert accuracy_of(other / "fetched") == 0.9


def test_commits_of_the_branch_are_no_runs(project):
    other = clone(project, "other")
    save(other, 0.7, "theirs")
    publish.publish(Workspace(other, "main"))
    write_source(project, 0.75)
    git("commit", "--quiet", "--all", "--message", "Newer than what the other has run", folder=project)
    mine = save(project, 0.8, "mine")
    assert [one.name for one in saved_runs.versions(Workspace(project, "main"))] == ["run/mine"]
    publish.publish(Workspace(project, "main"))
    assert [one.name for one in saved_runs.versions(Workspace(project, "main"))] == ["run/mine", "run/theirs"]
    source = git("rev-parse", "runs/main^2", folder=project)
    assert source == mine.record["source"] == resolve("HEAD", project)


def test_a_promotion_that_nobody_has_seen_keeps_its_model_when_its_run_moves(project):
    other = clone(project, "other")
    theirs, mine = save(other, 0.7, "theirs"), save(project, 0.8, "mine")
    assert theirs.name != mine.name
    publish.publish(Workspace(other, "main"))
    gto.promote(mine.commit, "better", project)
    publish.publish(Workspace(project, "main"))
    assert gto.in_use(project).commit == resolve("run/mine", project)
    assert gto.in_use(clone(project, "third")).commit == resolve("run/mine", project)


def test_a_promotion_made_meanwhile_by_another_stands(project):
    other = clone(project, "other")
    theirs, mine = save(other, 0.7, "theirs"), save(project, 0.8, "mine")
    gto.promote(theirs.commit, "first", other)
    publish.publish(Workspace(other, "main"))
    gto.promote(mine.commit, "first", project)
    publish.publish(Workspace(project, "main"))
    assert gto.in_use(project).commit == theirs.commit
    assert [one.name for one in saved_runs.versions(Workspace(project, "main"))] == ["run/mine", "run/theirs"]


def test_a_project_without_a_commit_is_one_clear_error(tmp_path):
    git("init", "--quiet", folder=tmp_path)
    with pytest.raises(FlowError, match="expected a repository with a commit"):
        saved_runs.current_branch(tmp_path)


@pytest.mark.parametrize("name", ["fix-HEAD", "HEAD-of-cats", "a/HEAD/b", "feature/x", "detached-HEADs"])
def test_a_branch_is_called_as_it_is(project, name):
    git("checkout", "--quiet", "-b", name, folder=project)
    assert saved_runs.current_branch(project) == name
    # A tag of the same name is something else.
    git("tag", name, folder=project)
    assert saved_runs.current_branch(project) == name
    git("checkout", "--quiet", "--detach", folder=project)
    assert saved_runs.current_branch(project) == "detached"


def test_a_push_names_what_is_new_and_brings_no_tag_back_that_was_cleaned_elsewhere(project, monkeypatch):
    save(project, 0.8, "1")
    publish.publish(Workspace(project, "main"))
    git("push", "--quiet", "origin", ":refs/tags/run/1", folder=project)
    two = save(project, 0.9, "2")
    gto.promote(two.commit, "better", project)
    publish.publish(Workspace(project, "main"))
    there = git("ls-remote", "--tags", "origin", folder=project)
    assert "refs/tags/run/2" in there
    assert "refs/tags/classifier#production#1" in there
    assert "refs/tags/run/1" not in there
    # Of many that nobody has, one pattern.
    monkeypatch.setattr(publish, "_FEW", 1)
    for name in ("3", "4"):
        save(project, 0.9, name)
    publish.publish(Workspace(project, "main"))
    assert "refs/tags/run/3" in git("ls-remote", "--tags", "origin", folder=project)


def test_a_remote_that_refuses_every_file_is_one_line(project, monkeypatch):
    refuses = "import sys; sys.stderr.write(''.join(f'ERROR: failed to transfer {name}\\n' for name in range(900)))"
    monkeypatch.setattr(publish, "DVC", [sys.executable, "-c", f"{refuses}; sys.exit(1)"])
    save(project, 0.8, "1")
    with pytest.raises(publish.NotPublished, match=r"tries: failed to transfer 0 \(and 899 errors more\); kept here"):
        publish.publish(Workspace(project, "main"))


def test_why_a_server_refuses_a_push_is_said(project):
    hook = project.with_name("project.git") / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho over quota >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(GitError, match=r"remote: over quota .*pre-receive hook declined"):
        git("push", "origin", "HEAD:refs/heads/new", folder=project)
