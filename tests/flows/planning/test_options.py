"""`--set` and `--only` as people type them."""

import pytest

from flows.planning.errors import UsageError
from flows.planning.settings import read_settings
from flows.planning.stages import stage_names, wanted
from flows.project.graph import with_upstream
from tests.packages import ROOT


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=3", 3),
        ("a.b=3.0", 3.0),
        ("a.b=1e-5", 1e-5),
        ("a.b=true", True),
        ("a.b=null", None),
        ("a.b=", None),
        ("a.b=x=y", "x=y"),
        ("a.b=[c, d]", ["c", "d"]),
        (r"a.b=^(?P<label>[^/]+)/", r"^(?P<label>[^/]+)/"),
        (r"a.b=[^/]+/(?P<label>[^/]+)/", r"[^/]+/(?P<label>[^/]+)/"),
        ("a.b='3'", "3"),
    ],
)
def test_a_value_is_what_yaml_makes_of_it_else_text(text, value):
    assert read_settings([text]) == {"a.b": value}


@pytest.mark.parametrize(
    "texts", [["a.b"], ["=3"], [""], ["a.b=[1"], ["a.b=*x"], ["a.b=1", "a.b=2"], ["a.b=1", "a.b=true"]]
)
def test_what_is_no_setting_is_refused(texts):
    with pytest.raises(UsageError, match="--set"):
        read_settings(texts)


@pytest.fixture
def names(monkeypatch):
    monkeypatch.chdir(ROOT)
    return stage_names()


def test_the_names_are_those_that_dvc_has(names):
    from dvc.repo import Repo

    with Repo(str(ROOT)) as repo:
        assert sorted(names) == sorted(stage.addressing for stage in repo.index.stages if stage.cmd)


def test_stages_go_by_their_names_and_by_plain_words(names):
    assert wanted(["features", "split"], names) == ["split", "features"]
    assert set(wanted(["features, Head"], names)) == {"features", "feature_extraction", "evaluate@feature_extraction"}
    assert set(wanted(["fine tuning"], names)) == {"fine_tuned", "evaluate@fine_tuned"}
    assert wanted(["evaluate"], names) == [name for name in names if name.startswith("evaluate@")]
    for text in ("heads", "", "evaluate@", "features,"):
        with pytest.raises(UsageError, match="--only: no stage"):
            wanted([text], names)
    with pytest.raises(UsageError, match=r"is head meant\?"):
        wanted(["heads"], names)


def test_what_a_stage_needs_comes_with_it():
    upstream = {"a": (), "b": ("a",), "c": ("b",), "d": ("a",), "e": ("c", "d")}
    assert with_upstream(["c"], upstream) == ["a", "b", "c"]
    assert with_upstream(["d", "b"], upstream) == ["a", "b", "d"]
