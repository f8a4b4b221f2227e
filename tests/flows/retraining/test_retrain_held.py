"""Scheduled runs beside a person's word, and beside too few test images: what they say, and what stays in use."""

import pytest

from flows.project.git import git
from flows.registry import gto, saved_runs
from flows.registry.saved_runs import Workspace
from tests.flows.versions_project import clone, commit_source, remote, retrain

pytestmark = pytest.mark.usefixtures("prefect_server", "impatient")


def in_use(project) -> str:
    return gto.in_use(remote(project)).version


def test_a_rollback_lasts_until_a_person_releases_it(project, site):
    retrain(project)
    commit_source(project, 0.9)
    assert retrain(project)[0] == "Promoted"
    other = clone(project, "other")
    gto.rollback("wrong at night", other)
    git("push", "--quiet", "origin", "refs/tags/*", folder=other)
    assert in_use(project) == "v1.0.0"
    # A comment in the code gives the very same classifier.
    (project / "train.py").write_text((project / "train.py").read_text() + "# a comment\n")
    commit_source(project, 0.9)
    name, message = retrain(project)
    assert (name, in_use(project)) == ("Rejected", "v1.0.0")
    assert "its classifier is that of v1.1.0, which Somebody took out of use: wrong at night" in message
    commit_source(project, 0.95)
    for _ in range(2):
        name, message = retrain(project)
        assert (name, in_use(project)) == ("Held", "v1.0.0")
        assert "v1.0.0 is held by Somebody (wrong at night): `smallset release` lets the gate decide" in message
    assert site.posts[-1]["event"] == "held"
    git("fetch", "--quiet", "--tags", "origin", folder=other)
    gto.release("mended", other)
    git("push", "--quiet", "origin", "refs/tags/*", folder=other)
    assert retrain(project)[0] == "Promoted"
    assert in_use(project) == "v1.2.0"


@pytest.mark.slow
def test_small_losses_do_not_add_up_and_a_person_is_asked_until_there_is_an_answer(project):
    """With the toy's comparison, which is sure to 2 points: 2 of 200 less are let through once."""
    retrain(project)
    commit_source(project, 0.795)
    assert retrain(project)[0] == "Promoted"
    # Beside the one in use half a point less; beside the best one a whole one.
    commit_source(project, 0.79)
    name, message = retrain(project)
    assert (name, in_use(project)) == ("Undecided", "v1.1.0")
    assert "160 right before, 158 after. At least -2.5 points beside v1.1.0, -3.0 points beside v1.0.0" in message
    assert "Its test images have decided 2 times before." in message
    assert retrain(project)[0] == "Undecided"
    runs = [one.record for one in saved_runs.versions(Workspace(remote(project), "main"))]
    assert [run["test_images"]["decided_before"] for run in runs] == [2, 1, 0]
    other = clone(project, "other")
    gto.promote(saved_runs.latest(Workspace(other, "main")).commit, "good enough", other, "promote")
    git("push", "--quiet", "origin", "refs/tags/*", folder=other)
    assert retrain(project)[0] == "Unchanged"
    assert in_use(project) == "v1.2.0"
