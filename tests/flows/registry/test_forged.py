"""What somebody may push to the branch of runs or as a tag: nothing of it deletes, runs or promotes by itself."""

import json
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.project.git import git, resolve
from flows.registry import gto, saved_runs
from flows.registry.saved_runs import Workspace
from flows.retraining.checkout import checked_out
from tests.flows.versions_project import checkout, clone, dvc, remote, repro, retrain, saved


def push_run(folder: Path, **record) -> saved_runs.Version:
    """Save a run as it lies there, and push it."""
    forged = {"id": "forged", "outcome": "trained", "source": resolve("HEAD", folder)} | record
    git("fetch", "--quiet", "origin", folder=folder)
    if theirs := resolve("refs/remotes/origin/runs/main", folder):
        git("update-ref", "refs/heads/runs/main", theirs, folder=folder)
    made = saved_runs.save(forged, Workspace(folder, "main"), "Run")
    dvc("push", "--quiet", folder=folder)
    git("push", "--quiet", "origin", "runs/main", made.name, folder=folder)
    return made


@pytest.mark.usefixtures("prefect_server")
def test_a_forged_decision_is_made_again_on_results_that_are_made_again(project):
    assert retrain(project)[0] == "Promoted"
    used = gto.in_use(remote(project))
    other = clone(project, "other")
    repro(other, 0.3)
    # Of a bad model, with figures of a good one that DVC takes for those of the stage.
    for file in other.glob("evaluation/*/predictions.csv"):
        file.write_text((checkout(project) / file.relative_to(other)).read_text())
    (other / "report" / "summary.json").write_text(json.dumps({"recommended": "x", "accuracy": 0.99}))
    dvc("commit", "--force", folder=other)
    instead = saved_runs.record_of(used.commit, remote(project))["id"]
    forged = push_run(other, decision="promoted", reason="trust me", instead_of=instead)
    assert retrain(project)[0] == "Unchanged"
    assert [one.commit for one in gto.promotions(remote(project))] == [used.commit]
    last, before = saved_runs.versions(Workspace(remote(project), "main"), most=2)
    assert (before.commit, last.record["summary"]["accuracy"]) == (forged.commit, 0.8)
    assert saved(project)[0][1] == "unchanged"


@pytest.fixture
def other(project) -> Path:
    """Where somebody else works, who may push runs and tags and nothing else."""
    other = clone(project, "other")
    repro(other, 0.8)
    return other


def stand(project: Path) -> None:
    with checked_out(str(remote(project)), "main", checkout(project)):
        pass


def test_a_record_that_names_a_file_is_refused(project, other, tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("mine")
    push_run(other, classifier=f"ab{mine}")
    with pytest.raises(FlowError, match=r"^run\.json of commit \w{8}: classifier: .*Received: 'ab/"):
        stand(project)
    assert mine.read_text() == "mine"


def test_a_lock_that_leads_out_of_the_cache_is_refused(project, other):
    lock = (other / "dvc.lock").read_text()
    first = lock.index("md5: ", lock.index("outs:")) + len("md5: ")
    push_run(other)
    (other / "dvc.lock").write_text(f"{lock[:first]}ab/etc/passwd{lock[first + 36 :]}")
    git("update-ref", "-d", "refs/tags/run/forged", folder=other)
    git("push", "--quiet", "origin", ":run/forged", folder=other)
    index = {"GIT_INDEX_FILE": str(other / "index")}
    git("read-tree", "runs/main", folder=other, env=index)
    git("add", "--force", "dvc.lock", folder=other, env=index)
    tree = git("write-tree", folder=other, env=index)
    commit = git("commit-tree", tree, "-p", "runs/main^", "-p", "main", folder=other, text="Run")
    git("push", "--quiet", "--force", "origin", f"{commit}:refs/heads/runs/main", folder=other)
    with pytest.raises(FlowError, match=r"^dvc\.lock of run/forged: stages\.\w+\.outs\.0\.md5: .*Received: 'ab/etc"):
        stand(project)


def test_a_link_in_place_of_a_result_is_refused(project, other, tmp_path):
    mine = tmp_path / "mine"
    mine.write_text("mine")
    summary = other / "report" / "summary.json"
    summary.unlink()
    summary.symlink_to(mine)
    made = saved_runs.save({"id": "forged", "source": resolve("HEAD", other)}, Workspace(other, "main"), "Run")
    git("push", "--quiet", "origin", "runs/main", made.name, folder=other)
    with pytest.raises(FlowError, match=r"^run/forged: report/summary\.json: expected a file, found a link"):
        stand(project)
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("name", ["origin/main", "main", "runs/main", "refs/remotes/origin/main"])
def test_a_tag_that_is_called_like_a_branch_is_not_taken_for_it(name, project, other):
    (other / "train.py").write_text("import os; os.system('touch pwned')\n")
    git("commit", "--quiet", "--all", "--message", "Hostile", folder=other)
    git("tag", name, folder=other)
    git("push", "--quiet", "origin", f"refs/tags/{name}", folder=other)
    with checked_out(str(remote(project)), "main", checkout(project)):
        assert resolve("HEAD") == resolve("refs/heads/main", remote(project))
        assert "pwned" not in Path("train.py").read_text()
