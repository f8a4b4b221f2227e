"""`flows.retraining.retrain`: scheduled runs of a toy project, with the real git, DVC, GTO and Prefect."""

import pytest

from flows.project.git import git, own_file, resolve
from flows.registry import decisions, gto, saved_runs
from flows.registry.saved_runs import Workspace
from flows.retraining import last_run
from tests.flows.versions_project import checkout, clone, commit_source, remote, retrain

pytestmark = pytest.mark.usefixtures("prefect_server")


def test_runs_are_saved_compared_with_the_model_in_use_and_pushed(project):
    before = git("status", "--porcelain", folder=project), resolve("HEAD", project)
    assert retrain(project)[0] == "Promoted"
    model = checkout(project) / "models" / "classifier" / "model.keras"
    made = model.stat()
    refs = git("show-ref", folder=remote(project))
    for _ in range(2):
        assert retrain(project)[0] == "UpToDate"
    # What did not happen leaves no commit and no tag; when it was looked for is known.
    assert git("show-ref", folder=remote(project)) == refs
    looked = last_run.read(checkout(project))
    assert (looked.state, looked.ended) == ("UpToDate", looked.succeeded)
    # Neither made nor fetched again.
    assert model.stat() == made
    commit_source(project, 0.4)
    name, message = retrain(project)
    assert name == "Rejected"
    assert "below gate.min_accuracy 0.5" in message
    assert git("status", "--porcelain", folder=project) == before[0]

    other = clone(project, "other")
    outcomes = [
        (one.record["outcome"], one.record.get("decision")) for one in saved_runs.versions(Workspace(other, "main"))
    ]
    assert outcomes == [("trained", "rejected"), ("trained", "promoted")]
    assert gto.in_use(other).commit == list(saved_runs.versions(Workspace(other, "main")))[-1].commit
    assert [one.record["summary"]["accuracy"] for one in saved_runs.versions(Workspace(other, "main"))] == [0.4, 0.8]


def test_the_last_run_knows_failures_and_keeps_the_time_of_the_last_success(project):
    last_run.keep("Promoted", "run/1", True, project)
    first = last_run.read(project)
    last_run.keep("Failed", "disk full", False, project)
    second = last_run.read(project)
    assert (second.state, second.message, second.succeeded) == ("Failed", "disk full", first.ended)
    own_file(last_run._FILE, project).write_text("[]")
    assert last_run.read(project) is None


def test_a_run_is_saved_once_more_only_where_it_says_something_else(project):
    def saved(**more) -> saved_runs.Version:
        record = {"id": str(more), "source": resolve("HEAD", project), "outcome": "trained"} | more
        return saved_runs.Version("run/x", resolve("HEAD", project), record)

    same = {"outcome": "up to date"}
    assert decisions.is_nothing_new(same, saved(decision="promoted"), project)
    assert not decisions.is_nothing_new(same | {"outcome": "trained"}, saved(), project)
    assert not decisions.is_nothing_new(same, saved(outcome="failed"), project)
    asked = {"decision": "undecided", "reason": "too few", "asks": True, "instead_of": "1"}
    # Who pushes may write a decision there: it is not ours until it was made here.
    assert not decisions.is_nothing_new(same | asked, saved(**asked), project)
    decisions.remember(resolve("HEAD", project), project)
    assert decisions.is_nothing_new(same | asked, saved(**asked), project)
    assert not decisions.is_nothing_new(same | asked | {"reason": "fewer"}, saved(**asked), project)
