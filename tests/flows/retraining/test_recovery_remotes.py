"""Scheduled runs whose remotes fail them: nothing is lost, and it goes out with the next run."""

import pytest

from flows.project.git import git, resolve
from flows.registry import gto, run_record, saved_runs
from flows.registry.saved_runs import Workspace
from tests.flows.versions_project import checkout, clone, dvc, has_data, remote, repro, retrain, saved

pytestmark = pytest.mark.usefixtures("prefect_server", "impatient")


@pytest.fixture
def at_saving(monkeypatch):
    """Let something happen once, when a run is about to be saved."""
    save = run_record.save

    def set_up(happen):
        def saving(*arguments):
            monkeypatch.setattr(run_record, "save", save)
            happen()
            return save(*arguments)

        monkeypatch.setattr(run_record, "save", saving)

    return set_up


def test_remotes_that_go_away_meanwhile_get_the_run_with_the_next(project, at_saving):
    lost = {project.with_name(name): project.with_name(f"{name}.away") for name in ("project.git", "project-storage")}

    def lose():
        for one, away in lost.items():
            one.rename(away)
            # What no directory is made anew in place of.
            one.touch()

    at_saving(lose)
    state, message = retrain(project)
    assert state == "NotPushed"
    assert "kept here, the next run tries again" in message
    for one, away in lost.items():
        one.unlink()
        away.rename(one)
    assert saved(project) == []
    assert retrain(project)[0] == "UpToDate"
    assert saved(project) == [("trained", "promoted")]
    trained = list(saved_runs.versions(Workspace(remote(project), "main")))[-1]
    assert gto.in_use(remote(project)).commit == trained.commit
    assert has_data(project, trained.record["classifier"])


def test_a_remote_that_is_gone_at_the_start_is_one_line(project, site):
    remote(project).rename(project.with_name("away"))
    state, message = retrain(project)
    assert state == "Failed"
    assert "\n" not in message
    assert str(remote(project)) in message
    assert [post["event"] for post in site.posts] == ["failed"]


def test_a_push_that_comes_second_is_put_behind_the_first(project, at_saving):
    other = clone(project, "other")

    def push_meanwhile():
        repro(other, 0.7)
        saved_runs.save(
            {"id": "theirs", "outcome": "trained", "source": resolve("HEAD", other)}, Workspace(other, "main"), "x"
        )
        git("push", "--quiet", "origin", "runs/main", "run/theirs", folder=other)

    at_saving(push_meanwhile)
    assert retrain(project)[0] == "Promoted"
    assert saved(project) == [("trained", "promoted"), ("trained", None)]
    mine, theirs = saved_runs.versions(Workspace(remote(project), "main"))
    assert git("rev-parse", f"{mine.commit}^", folder=remote(project)) == theirs.commit
    assert [one.commit for one in gto.promotions(remote(project))] == [mine.commit]


def test_a_promotion_that_comes_second_is_decided_again_beside_the_first(project, at_saving):
    other = clone(project, "other")

    def promote_meanwhile():
        repro(other, 0.95)
        theirs = saved_runs.save(
            {"id": "theirs", "outcome": "trained", "source": resolve("HEAD", other)}, "main", "x", other
        )
        gto.promote(theirs.commit, "by hand", other)
        dvc("push", "--quiet", folder=other)
        git("push", "--quiet", "origin", "runs/main", "refs/tags/*", folder=other)

    at_saving(promote_meanwhile)
    assert retrain(project)[0] == "Promoted"
    assert [one.message for one in gto.promotions(remote(project))] == ["by hand"]
    state, message = retrain(project)
    assert state == "Rejected"
    assert "190 right before, 160 after. At least -17.0 points beside " in message
    assert saved(project) == [("up to date", "rejected"), ("trained", "promoted"), ("trained", None)]
    assert resolve("HEAD", checkout(project)) == resolve("main", project)
