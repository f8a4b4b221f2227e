"""`flows.run.page_slots` and `flows.run.change`: what a run adds to the report, and only where it is known."""

import json

import pytest

from flows.run.change import Earlier, change
from flows.run.page_slots import CHANGE, DATE, SPEED, filled
from flows.run.provenance import RunRecord, StageRecord

MODEL, OTHER = "a" * 64, "b" * 64
TOOK = '<span class="of-run" id="run-took-fine_tuned"></span>'
PAGE = f'{DATE}{CHANGE}{TOOK}<span class="of-run" id="run-speed-fine_tuned" data-model="{MODEL}"></span>'
SUMMARY = {"recommended": "a", "headline": "accuracy", "accuracy": 0.9, "accuracy_low": 0.85, "accuracy_high": 0.94}
BALANCED = {f"balanced_accuracy{end}": 0.5 for end in ("", "_low", "_high")}


def record(**took: float | None) -> RunRecord:
    ended = "2026-11-24T03:00:00+00:00"
    stages = [StageRecord(name, "ran", None, ended, seconds, "x") for name, seconds in took.items()]
    return RunRecord(None, [], {}, {}, ended, 1.0, {}, stages)


def note(model: str, milliseconds: object) -> None:
    SPEED.mkdir(parents=True, exist_ok=True)
    (SPEED / "fine_tuned.json").write_text(json.dumps({"model": model, "milliseconds": milliseconds}))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_what_is_known_is_filled_in():
    note(MODEL, 4.26)
    page = filled(PAGE, record(download=2.0, fine_tuned=71.4), (), "<div>changed</div>")
    assert "fetched on 2026-11-24<" in page
    assert 'id="run-took-fine_tuned">1 min 11 s</span>' in page
    assert f'data-model="{MODEL}">4.3</span>' in page
    assert "<div>changed</div>" in page
    assert CHANGE not in page


def test_what_is_not_known_stays_empty():
    assert filled(PAGE, None, (), "") == PAGE
    assert filled(PAGE, record(download=2.0, fine_tuned=71.4), ("download", "fine_tuned"), "") == PAGE


@pytest.mark.parametrize(("model", "milliseconds"), [(OTHER, 4.2), (MODEL, "<b>"), (MODEL, None)])
def test_a_speed_of_another_model_or_of_no_sense_is_not_shown(model, milliseconds):
    note(model, milliseconds)
    assert filled(PAGE, None, (), "") == PAGE
    (SPEED / "fine_tuned.json").write_text("[]")
    assert filled(PAGE, None, (), "") == PAGE


def test_figures_of_one_measure_have_a_difference_and_of_two_have_none():
    earlier = Earlier("run/x", "", SUMMARY | {"accuracy": 0.8, "recommended": "b"}, 100, False)
    found = change(earlier, SUMMARY, 120)
    assert found.points == pytest.approx(10)
    assert (found.model, found.images) == ("b", "100 images then, 120 now")
    found = change(earlier, SUMMARY | BALANCED | {"headline": "balanced_accuracy"}, 120)
    assert found.points is None
    assert found.after.startswith("balanced accuracy 50.0 %")
    assert change(Earlier("run/x", "", {}, None, None), SUMMARY, 120) is None
    assert change(Earlier("run/x", "", SUMMARY, 100, True), SUMMARY, 100).images == "the same 100 images"
