"""`flows.retraining.gate`: on which side of each limit a model lies, and by which models it is measured."""

from datetime import UTC, datetime
from typing import Any

import pytest

from flows.registry import gto, saved_runs
from flows.registry.gto import Promotion
from flows.retraining import gate, known_images, rivals


def beside(name: str, bound: float, verdict: str = "no difference shown", difference: float = 0.0) -> dict[str, Any]:
    """A comparison as `smallset compare --json` has it, of 200 images."""
    recommended = {"lower_bound": bound, "verdict": verdict, "difference": {"value": difference}}
    return {"recommended": recommended, "before": {"name": name}, "verdict": f"beside {name}", "images": 200}


@pytest.mark.parametrize(
    ("in_use", "best", "word"),
    [
        (("no difference shown", -0.02), None, "promoted"),
        (("no difference shown", -0.03), None, "undecided"),  # not above it
        (("worse", -0.02), None, "promoted"),  # by no more than is allowed
        (("worse", -0.1), None, "rejected"),
        (("better", 0.02), ("no difference shown", -0.02), "promoted"),
        (("better", 0.02), ("no difference shown", -0.1), "undecided"),
        (("better", 0.02), ("worse", -0.1), "rejected"),
        (("no difference shown", -0.1), ("worse", -0.1), "rejected"),
        (("worse", -0.1), ("no difference shown", -0.1), "rejected"),
    ],
)
def test_a_model_is_measured_by_both_that_went_before(in_use, best, word):
    other = None if best is None else beside("v1", best[1], best[0])
    found = gate._judged(beside("v2", in_use[1], in_use[0]), other, 0.03)
    assert found.word == word


@pytest.mark.parametrize("verdict", ["better", "no difference shown"])
def test_later_models_are_measured_by_one_that_is_better_than_the_best_before(verdict):
    assert gate._judged(beside("v2", 0.02, "better"), beside("v1", 0.01, verdict), 0.03).is_best is (
        verdict == "better"
    )
    assert gate._judged(beside("v1", 0.02, verdict), None, 0.03).is_best is (verdict == "better")


def test_the_images_that_would_do_are_enough_beside_both():
    """An error of a point needs 200 (2.487 / 3) ** 2, fewer than there are; one of four points 16 times that."""
    small, large = (beside(name, -0.04, difference=-0.04 + 1.645 * error) for name, error in (("a", 0.01), ("b", 0.04)))
    assert (gate._needed(small, 0.03), gate._needed(large, 0.03)) == (201, 2200)
    for one, other in ((small, large), (large, small)):
        assert "about 2,200 would do" in gate._judged(one, other, 0.03).reason


@pytest.mark.parametrize(("value", "rejected"), [(0.69999, True), (0.7, False)])
def test_a_model_that_reaches_the_minimum_is_good_enough(value, rejected):
    found = gate._too_low({"recommended": "x", "accuracy": value, "accuracy_low": 0.5}, 0.7)
    assert (found is not None) is rejected


@pytest.mark.parametrize(
    ("value", "low", "word"),
    [(0.7, 0.51, None), (0.7, 0.5, "undecided"), (0.51, 0.4, "undecided"), (0.5, 0.4, "rejected")],
)
def test_what_may_be_guessing_is_not_shown_to_be_more(value, low, word, monkeypatch):
    monkeypatch.setattr(known_images, "predictions_of", lambda _: [{"label": "a"}, {"label": "b"}])
    found = gate._too_low({"recommended": "x", "accuracy": value, "accuracy_low": low}, "auto")
    assert (found and found.word) == word


@pytest.mark.parametrize(
    ("left", "most", "told"), [(80, 0.2, False), (79, 0.2, True), (20, 0.8, False), (19, 0.8, True)]
)
def test_a_class_may_lose_its_share_and_no_more(left, most, told):
    known, now = ([{"class": "cat"}] * count + [{"class": "dog"}] * 5 for count in (100, left))
    assert bool(list(known_images._lost(known, now, "v1", most))) is told


@pytest.mark.parametrize(("wrong", "told"), [(1, False), (2, True)])
def test_the_margin_is_a_share_of_the_images_that_it_knew(wrong, told, monkeypatch):
    """Of 50; what it is asked besides makes them no more."""
    table = "sha256,label,predicted\n" + "".join(f"{number},a,a\n" for number in range(50))
    kept = {"report/summary.json": b'{"recommended": "x"}', "evaluation/x/predictions.csv": table.encode()}
    monkeypatch.setattr(known_images, "fetch_file", lambda _, path: kept[path])
    now = [
        {"sha256": str(number), "label": "ab"[number % 2], "predicted": "x" if number < wrong else "ab"[number % 2]}
        for number in range(200)
    ]
    assert bool(list(known_images.collapse("run/1", "v1", now, 0.03))) is told


def used(version: str, action: gto.Action | None = None) -> Promotion:
    return Promotion(version, version, datetime(2026, 1, 1, tzinfo=UTC), f"tag of {version}", "", action=action)


BEST, EQUAL = {"decision": "promoted", "is_best": True}, {"decision": "promoted", "is_best": False}


@pytest.mark.parametrize(
    ("words", "records", "version"),
    [
        ("v3 v2 v1", {"v1": BEST, "v2": BEST, "v3": EQUAL}, "v2"),
        ("v3 v2 v1", {"v1": EQUAL, "v2": EQUAL, "v3": EQUAL}, "v1"),  # the first of all
        ("v3 promote:v2 v1", {"v1": BEST, "v2": EQUAL, "v3": EQUAL}, "v2"),  # a person chose it
        ("hold:v3 v3 v2 v1", {"v1": BEST, "v2": BEST, "v3": EQUAL}, "v2"),  # to hold one is not to call it better
        ("hold:v3 v3 v2 v1", {"v1": BEST, "v2": EQUAL, "v3": BEST}, "v3"),
        # To go back past one that was better is no word against that one: it was not in use.
        ("rollback:v1 v3 v2 v1", {"v1": BEST, "v2": BEST, "v3": EQUAL}, "v2"),
        ("v4 rollback:v2 v3 v2 v1", {"v1": BEST, "v2": EQUAL, "v3": BEST, "v4": EQUAL}, "v1"),  # v3 was taken out
        (
            "v2 v1",
            {"v1": BEST, "v2": {"comparison": {"recommended": {"verdict": "better"}}, "decision": "promoted"}},
            "v2",
        ),
        ("v2 v1", {"v1": BEST, "v2": {"decision": "promoted"}}, "v1"),
    ],
)
def test_a_model_is_measured_by_the_last_one_that_was_shown_to_be_better(words, records, version, monkeypatch):
    tags = [used(*reversed(word.split(":"))) for word in words.split()]
    monkeypatch.setattr(gto, "promotions", lambda *_: tags)
    monkeypatch.setattr(saved_runs, "record_of", lambda commit, *_: records[commit])
    assert rivals.anchor(tags[0]).version == version


def test_figures_of_a_classifier_are_those_of_the_model_that_was_measured(tmp_path):
    assert rivals._measured(tmp_path) == tmp_path
    (tmp_path / "measured").mkdir()
    assert rivals._measured(tmp_path) == tmp_path / "measured"
