"""A person's word on the model in use: it lasts, everybody sees it, and what did not happen is not reported."""

import json

import pytest

from flows.errors import FlowError
from flows.project.git import git, resolve
from flows.registry import gto, publish, saved_runs, unpushed
from flows.registry.history import describe_use, read_words
from flows.registry.saved_runs import Workspace
from tests.flows.cli.test_cli_versions import smallset
from tests.flows.versions_project import clone, has_data, make_project, moved_copy, remote, repro

pytestmark = pytest.mark.usefixtures("impatient")


def save(folder, accuracy: float, name: str, **more) -> saved_runs.Version:
    repro(folder, accuracy)
    record = {"id": name, "source": resolve("HEAD", folder), "outcome": "trained"} | more
    return saved_runs.save(record, Workspace(folder, "main"), f"Run {name}")


@pytest.fixture(scope="module")
def promoted(homes, tmp_path_factory):
    """A project with two saved runs, both put into use by the gate, and pushed."""
    project = make_project(tmp_path_factory.mktemp("promoted") / "project")
    for name, accuracy in (("one", 0.8), ("two", 0.9)):
        gto.promote(save(project, accuracy, name).commit, f"gate: {name}", project)
    publish.publish(Workspace(project, "main"), all_tags=True)
    return project


@pytest.fixture
def two(promoted, tmp_path, monkeypatch):
    """A copy of it, in which the test stands."""
    project = moved_copy(promoted, tmp_path)
    monkeypatch.chdir(project)
    return project


def test_a_rollback_holds_until_a_person_lifts_it(two):
    assert not gto.in_use().is_held
    assert "; held until `smallset release`" in smallset("rollback", "--message", "wrong at night").stdout
    present = gto.in_use()
    assert (present.version, present.message, present.action, present.is_held, present.who) == (
        *("v1.0.0", "wrong at night", "rollback", True, "Somebody"),
    )
    assert set(gto.withdrawn(gto.promotions())) == {"v1.1.0"}
    assert smallset("release").exit_code == 0
    assert (gto.in_use().version, gto.in_use().is_held) == ("v1.0.0", False)
    assert smallset("release").stderr == "error: classifier v1.0.0 is not held: nothing to release\n"
    assert smallset("hold", "--message", "audit").exit_code == 0
    assert (gto.in_use().version, gto.in_use().is_held) == ("v1.0.0", True)
    assert smallset("promote", "run/two").exit_code == 0
    assert (gto.in_use().version, gto.in_use().is_held) == ("v1.1.0", False)
    assert not gto.withdrawn(gto.promotions())
    words = [(word.decision, word.version, word.reason, word.who, word.in_use) for word in read_words()]
    assert words == [
        ("promote", "v1.1.0", "by hand", "Somebody", True),
        ("hold", "v1.0.0", "audit", "Somebody", False),
        ("release", "v1.0.0", "by hand", "Somebody", False),
        ("rollback", "v1.0.0", "wrong at night", "Somebody", False),
    ]
    assert [one["decision"] for one in json.loads(smallset("history", "--json", "--by-hand").stdout)] == [
        *("promote", "hold", "release", "rollback")
    ]
    shown = smallset("history", "--most", "1").stdout
    assert "promote, by hand" in shown
    assert describe_use().startswith("in use: classifier v1.1.0, run/two, since 20")
    assert shown.splitlines()[-1].startswith("in use: classifier v1.1.0, run/two, since ")
    assert describe_use().endswith(" UTC, by Somebody, by hand (promote): by hand")


def test_what_is_not_to_be_put_into_use_is_refused_without_force(two):
    for outcome, decision, why in (("failed", None, "a failed run"), ("trained", "rejected", "the gate rejected it")):
        name = save(two, 0.5, f"{outcome}{decision or ''}", outcome=outcome, decision=decision, reason="5 points").name
        assert why in smallset("promote", name).stderr
    held = save(two, 0.5, "waits", outcome="trained", decision="held", reason="5 points").name
    assert smallset("promote", held).exit_code == 0
    smallset("promote", "run/two")
    before = git("rev-list", "--max-parents=0", "HEAD", folder=two)
    assert "no model to put into use" in smallset("promote", before).stderr
    assert gto.in_use().version == "v1.1.0"
    assert smallset("promote", "run/trainedrejected", "--force").exit_code == 0


def test_a_word_of_one_clone_is_known_to_another_and_its_data_is_there(two, monkeypatch):
    three = save(two, 0.95, "three")
    assert smallset("promote", "run/three", "--push").stdout.endswith("; pushed\n")
    assert has_data(two, json.loads(git("show", f"{three.commit}:run.json")).get("classifier") or checksum(two, three))
    other = clone(two, "other")
    monkeypatch.chdir(other)
    assert smallset("rollback", "--push", "--message", "mine").stdout.endswith("; pushed\n")
    monkeypatch.chdir(two)
    # It fetches before it looks.
    assert smallset("hold", "--push", "--message", "also mine").stdout.startswith("in use: classifier v1.1.0")
    assert [one.message for one in gto.promotions(remote(two))][:2] == ["also mine", "mine"]


def checksum(folder, version: saved_runs.Version) -> str:
    text = git("show", f"{version.commit}:dvc.lock", folder=folder)
    return next(line.split()[-1] for line in text.splitlines() if line.strip().startswith("md5") and ".dir" in line)


def test_a_push_that_cannot_be_is_not_reported(two):
    git("remote", "remove", "origin", folder=two)
    assert "--push: expected a repository to push to" in smallset("rollback", "--push").stderr
    git("remote", "add", "origin", str(two.with_name("nowhere.git")), folder=two)
    assert smallset("rollback", "--push").exit_code == 1
    assert gto.in_use().version == "v1.1.0"


@pytest.mark.parametrize(
    ("theirs", "mine", "expected"),
    [
        # The gate against the gate, or a person: what was decided beside another model is decided again.
        (None, None, "theirs"),
        ("promote", None, "theirs"),
        # A person against the gate, and against another person, who was first.
        (None, "promote", "mine"),
        ("promote", "promote", "theirs"),
    ],
)
def test_of_two_at_once_a_person_goes_before_the_gate(two, theirs, mine, expected):
    other = clone(two, "other")
    gto.promote(save(two, 0.91, "mine").commit, "mine", two, mine)
    git("fetch", "--quiet", "origin", "+refs/tags/*:refs/tags/*", folder=other)
    git("branch", "runs/main", "origin/runs/main", folder=other)
    gto.promote(save(other, 0.92, "theirs").commit, "theirs", other, theirs)
    publish.publish(Workspace(other, "main"))
    publish.publish(Workspace(two, "main"))
    for folder in (two, remote(two)):
        assert gto.in_use(folder).message == expected
    # Nothing of it is left to be done.
    assert not git("for-each-ref", "refs/smallset/unpushed", folder=two)


def test_a_rollback_meanwhile_is_not_undone_by_what_the_gate_decided_before(two):
    other = clone(two, "other")
    gto.rollback("wrong", other)
    publish.publish(Workspace(other, "main"))
    gto.promote(save(two, 0.91, "mine").commit, "mine", two)
    publish.publish(Workspace(two, "main"))
    assert (gto.in_use(two).message, gto.in_use(two).is_held) == ("wrong", True)


@pytest.mark.parametrize("place", ["take_in", "promote_again", "_once_more"])
def test_a_word_is_not_lost_where_the_push_is_killed(two, monkeypatch, place):
    other = clone(two, "other")
    git("branch", "runs/main", "origin/runs/main", folder=other)
    gto.promote(save(other, 0.92, "theirs").commit, "theirs", other)
    publish.publish(Workspace(other, "main"))
    gto.rollback("wrong at night", two)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(unpushed, place, killed)
        publish.catch_up(Workspace(two, "main"))
    publish.publish(Workspace(two, "main"))
    for folder in (two, remote(two)):
        assert (gto.in_use(folder).version, gto.in_use(folder).message) == ("v1.0.0", "wrong at night")


def test_words_that_were_kept_are_said_again_in_their_order(two, monkeypatch):
    said = []
    monkeypatch.setattr(unpushed, "_once_more", lambda commit, message, *_: said.append(message))
    # An end in the middle may leave those of two pushes: others knew of 9 promotions at the first, of 10 at the second.
    for message, name in (("first", "9/000010"), ("second", "10/000011"), ("third", "10/000012")):
        git("tag", "--annotate", "--message", message, message, folder=two)
        git("update-ref", f"refs/smallset/unpushed/{name}", f"refs/tags/{message}", folder=two)
    unpushed.promote_again(two)
    assert said == ["first", "second", "third"]
    assert not git("for-each-ref", "refs/smallset/unpushed", folder=two)


def test_a_tag_of_a_clock_that_is_wrong_holds_nobody_up(two):
    tag = gto.in_use().tag
    when = {"GIT_COMMITTER_DATE": "2099-01-01T00:00:00Z"}
    git("tag", "--force", "--annotate", "--message", "future", tag, f"{tag}^{{commit}}", folder=two, env=when)
    assert gto.rollback("now", two).version == "v1.0.0"
    with pytest.raises(FlowError, match="there is none to go back to"):
        gto.rollback("again", two)


def test_a_rollback_that_was_not_pushed_is_told_with_its_reason(two):
    publish.publish(Workspace(two, "main"))
    assert "`smallset hold --push` tells the others" in smallset("rollback", "--message", "wrong at night").stdout
    assert smallset("hold", "--push").stdout.endswith("; pushed\n")
    [last] = gto.promotions(remote(two))[:1]
    assert (last.version, last.action, last.message) == ("v1.0.0", "rollback", "wrong at night")
