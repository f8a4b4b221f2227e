"""Clocks that are wrong, jump, or differ: what is in use stays right, here and for GTO and DVC, and nothing waits."""

import pytest

from flows.project.git import git, resolve
from flows.registry import gto, tag_dates
from tests.flows.cli.test_cli_versions import smallset
from tests.flows.registry.test_promotion import save
from tests.flows.versions_project import accuracy_of, dvc

FUTURE, FAR, PAST = "@4102444800 +0000", "@999999999999 +0000", "@86400 +0000"


@pytest.fixture
def two(tmp_path, monkeypatch):
    """A repository with two commits, of nobody."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    git("init", "--quiet")
    who = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
    for name in ("one", "two"):
        git(*who, "commit", "--quiet", "--allow-empty", "--message", name)
    return [resolve("HEAD~1"), resolve("HEAD")]


def tag(name: str, commit: str, date: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@localhost"]
    git(*who, "tag", "--annotate", "--message", "of another machine", name, commit, env={"GIT_COMMITTER_DATE": date})


@pytest.mark.parametrize("date", [FUTURE, FAR, PAST])
def test_every_word_counts_at_once_whatever_date_the_one_before_has(two, date):
    tag("classifier@v1.0.0", two[0], date)
    tag("classifier#production#1", two[0], date)
    promoted = gto.promote(two[1], "better", action="promote")
    assert (gto.in_use(), promoted.commit, promoted.version) == (promoted, two[1], "v1.1.0")
    told = tag_dates.ahead(promoted.at)
    assert told[:16] == {FUTURE: "dated 2100-01-01", FAR: "dated 9999-01-01", PAST: ""}[date]
    assert "\n" not in told
    assert [gto.hold("x").version, gto.rollback("x").version, gto.release("x").version] == [
        *("v1.1.0", "v1.0.0", "v1.0.0")
    ]
    found = gto.promotions()
    assert [one.action for one in found] == ["release", "rollback", "hold", "promote", None]
    # Later than any year, they are of one second.
    assert date == FAR or [one.at for one in found] == sorted({one.at for one in found}, reverse=True)


def test_a_message_is_no_other_tag_whatever_is_in_it(two):
    forged = f"why\x1e\nclassifier#production#9\x1ftag\x1f{two[0]}\x1f86400\x1fsomebody\x1fforged"
    gto.promote(two[1], forged)
    assert [(one.tag, one.commit, one.message) for one in gto.promotions()] == [
        ("classifier#production#1", two[1], forged)
    ]


def test_what_gto_takes_out_of_use_is_not_in_use(two):
    for number, commit in ((1, two[0]), (2, two[1])):
        tag(f"classifier@v1.{number}.0", commit, PAST)
        tag(f"classifier#production#{number}", commit, PAST)
    tag("classifier#production!#3", two[1], PAST)
    assert (gto.in_use().version, gto.in_use().tag) == ("v1.1.0", "classifier#production#1")
    assert gto.promote(two[1], "again").tag == "classifier#production#4"
    assert gto.in_use().version == "v1.2.0"
    for number, commit in ((5, two[0]), (6, two[1])):
        tag(f"classifier#production!#{number}", commit, PAST)
    assert gto.in_use() is None


def test_what_somebody_put_into_use_without_a_version_can_be_held_and_left(two):
    tag("classifier#production#1", two[0], PAST)
    assert gto.hold("x").version == two[0]
    assert gto.promote(two[1], "better").version == "v1.0.0"
    assert gto.rollback("worse").version == two[0]
    assert [one.action for one in gto.promotions()] == ["rollback", None, "hold", None]


def test_dvc_alone_has_the_same_model_in_use(project, monkeypatch):
    monkeypatch.chdir(project)
    one, two = save(project, 0.8, "one").commit, save(project, 0.9, "two").commit
    # Assigned before it was registered, by the clocks of two machines: GTO takes the commit for the version.
    tag("classifier@v1.0.0", one, FUTURE)
    tag("classifier#production#1", one, PAST)
    assert gto.in_use().version == "v1.0.0"
    told = smallset("promote", "run/two").stdout
    assert "; dated 2100-01-01" in told
    assert told.count("\n") == 1
    assert (gto.in_use().commit, gto.in_use().version) == (two, "v1.1.0")
    dvc("artifacts", "get", ".", "classifier", "--stage", "production", "--out", "fetched", folder=project)
    assert accuracy_of(project / "fetched") == 0.9


@pytest.mark.parametrize("given", ["a file", "variables", "nobody"])
def test_who_promotes_is_who_git_knows(two, monkeypatch, tmp_path, given):
    """Also where git's own libraries would not look: GIT_CONFIG_GLOBAL alone, as in CI and containers."""
    for name in ("NAME", "EMAIL"):
        monkeypatch.delenv(f"GIT_COMMITTER_{name}", raising=False)
        if given == "variables":
            monkeypatch.setenv(f"GIT_COMMITTER_{name}", "Variables")
    if given == "a file":
        (tmp_path / "config").write_text("[user]\nname = A file\nemail = a@localhost\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    expected = {"a file": "A file", "variables": "Variables", "nobody": "Smallset"}[given]
    assert gto.promote(two[0], "first").who == expected


def test_a_version_that_was_taken_back_is_not_given_again(two):
    tag("classifier@v1.0.0", two[0], PAST)
    tag("classifier@v1.0.0!#1", two[0], PAST)
    assert gto.registered() == {}
    assert gto.promote(two[1], "first").version == "v1.1.0"
