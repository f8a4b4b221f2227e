"""What `split` has set aside is told, and keeps a first model from being promoted unasked."""

import json
from pathlib import Path

import pytest

from flows.project import profiles
from flows.retraining import gate
from flows.run import left_out

SUMMARY = {"recommended": "scratch", "accuracy": 0.9, "accuracy_low": 0.8}


@pytest.fixture
def counts(tmp_path, monkeypatch):
    """Write what `split` counts, in a project of its own."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()

    def write(**found: int) -> None:
        Path("data/split.json").write_text(json.dumps({"train": {"cat": 9}} | found))

    return write


@pytest.mark.parametrize(
    ("found", "word", "told"),
    [
        ({"strays": 0, "rejected": 0}, "promoted", ""),
        # Of a run before there were strays.
        ({"rejected": 3}, "promoted", "; set aside: 3 that cannot be decoded, see data/rejected.csv"),
        ({"strays": 2, "rejected": 0}, "undecided", "; set aside: 2 that do not fit the rest, see data/rejected.csv"),
        (
            {"strays": 1, "rejected": 1200},
            "undecided",
            "; set aside: 1 that do not fit the rest, 1,200 that cannot be decoded, see data/rejected.csv",
        ),
    ],
)
def test_a_first_model_on_data_that_nobody_has_seen_whole_is_for_a_person(counts, found, word, told) -> None:
    counts(**found)
    assert left_out.told() == told
    decision = gate.decide(None, SUMMARY, {"min_accuracy": 0.5})
    assert decision.word == word
    assert word == "promoted" or told in decision.reason


def test_without_a_split_nothing_is_set_aside(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (left_out.set_aside(), left_out.told()) == (0, "")


def test_params_as_committed_refuse_strays_and_retraining_may_set_them_aside(tmp_path, monkeypatch) -> None:
    text = (Path(__file__).resolve().parents[3] / "params.yaml").read_text()
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(text)
    assert profiles.value_of("split.strays") == "error"
    assert profiles.override({"split.strays": "set_aside"}) == ["split.strays: error -> set_aside"]
