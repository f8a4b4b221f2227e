"""`flows.retraining.retrain`: scheduled runs of a toy project, with the real git, DVC, GTO and Prefect."""

import pytest

from flows.project.git import git, resolve
from flows.registry import gto, saved_runs
from tests.flows.versions_project import checkout, clone, commit_source, retrain

pytestmark = pytest.mark.usefixtures("prefect_server")


def test_runs_are_saved_compared_with_the_model_in_use_and_pushed(project):
    before = git("status", "--porcelain", folder=project), resolve("HEAD", project)
    assert retrain(project)[0] == "Promoted"
    model = checkout(project) / "models" / "classifier" / "model.keras"
    made = model.stat()
    for _ in range(2):
        assert retrain(project)[0] == "UpToDate"
    # Neither made nor fetched again.
    assert model.stat() == made
    commit_source(project, 0.4)
    name, message = retrain(project)
    assert name == "Rejected"
    assert "below gate.min_accuracy 0.5" in message
    assert git("status", "--porcelain", folder=project) == before[0]

    other = clone(project, "other")
    outcomes = [(one.record["outcome"], one.record.get("decision")) for one in saved_runs.versions("main", other)]
    assert outcomes == [("trained", "rejected"), *[("up to date", None)] * 2, ("trained", "promoted")]
    assert gto.in_use(other).commit == list(saved_runs.versions("main", other))[-1].commit
    assert [one.record["summary"]["accuracy"] for one in saved_runs.versions("main", other)] == [0.4, 0.8, 0.8, 0.8]
