"""How long a run is expected to take, before and after one has told."""

from pathlib import Path

import pytest

from flows.execution.process_output import Outcome, StageResult
from flows.planning import duration, words
from flows.planning.duration import expect, in_words, remember
from flows.planning.look import Look
from flows.planning.stages import stage_names
from flows.planning.work import Work, rough
from flows.project import profiles
from tests.flows.planning.conftest import IMAGES, PRESET
from tests.packages import ROOT


@pytest.fixture
def values(monkeypatch, tmp_path):
    monkeypatch.setattr(duration.psutil, "getloadavg", lambda: (0.0, 0.0, 0.0))
    monkeypatch.chdir(ROOT)
    found, names = profiles.current(), stage_names()
    monkeypatch.chdir(tmp_path)
    return found | {"names": names}


def work(values: dict, images: int = 100, side: int = 192, **more: object) -> Work:
    subsets = {"train": images * 4 // 10, "validation": images * 2 // 10, "test": images * 4 // 10}
    return Work(subsets, side, "convnet", 9_500_000, values | more, images * 4 // 20)


def test_more_work_takes_longer_and_what_is_turned_off_nothing(values):
    for stage in values["names"]:
        small, large = rough(stage, work(values)), rough(stage, work(values, 10_000, 384))
        assert 0 < small <= large
    off = work(values, **{"fine_tuned.enabled": False})
    assert rough("fine_tuned", off) == rough("evaluate@fine_tuned", off) == 0
    # Few images are gone over until there were enough steps.
    few, many = (rough("fine_tuned", work(values, **{"fine_tuned.min_steps": steps})) for steps in (300, 3000))
    assert few < many
    assert rough("fine_tuned", work(values, 20)) == 0, "min_images: no class has ten images to train on"


def test_a_run_tells_the_next_one(values):
    stages, here = ["features", "fine_tuned"], work(values)
    assert not expect(stages, here).known
    took = {"features": 40.0, "fine_tuned": 300.0}
    remember([StageResult(name, Outcome.RAN, seconds) for name, seconds in took.items()], here)
    found = expect(stages, here)
    assert found.known
    assert found.stages == pytest.approx(took, rel=0.01)
    assert expect(["fine_tuned"], work(values, 1000)).seconds > 300
    # Of a stage that has never run the others tell how fast this machine is.
    least, most = sorted(seconds / rough(name, here) for name, seconds in took.items())
    assert least < expect(["scratch"], here).seconds / rough("scratch", here) < most
    assert not expect(["features", "scratch"], here).known


def test_a_stage_of_seconds_says_little_of_the_others(values):
    remember([StageResult("download", Outcome.RAN, 20.0)], work(values))
    assert expect(["fine_tuned"], work(values)).seconds < 1.5 * rough("fine_tuned", work(values))


def test_a_busy_machine_takes_longer_until_runs_have_told(values, monkeypatch):
    quick = expect(["fine_tuned"], work(values)).seconds
    monkeypatch.setattr(duration.psutil, "getloadavg", lambda: (5.0 * duration.usable_cores(), 0.0, 0.0))
    assert expect(["fine_tuned"], work(values)).seconds == pytest.approx(5 * quick)
    remember([StageResult("fine_tuned", Outcome.RAN, 300.0)], work(values))
    assert expect(["fine_tuned"], work(values)).seconds == pytest.approx(300, rel=0.01)


def test_what_did_not_run_tells_nothing(values):
    remember([StageResult("features", Outcome.RESTORED, 1.0), StageResult("split", Outcome.UP_TO_DATE)], work(values))
    assert not expect(["features"], work(values)).known


@pytest.mark.parametrize("text", ["", "[]", "{", '{"features": 3}', '{"features": {"rough": "x", "seconds": 1}}'])
def test_a_file_that_is_not_ours_is_no_harm(values, text):
    duration.PACE.parent.mkdir()
    duration.PACE.write_text(text)
    assert not expect(["features"], work(values)).known
    remember([StageResult("features", Outcome.RAN, 9.0)], work(values))
    assert expect(["features"], work(values)).known


def test_times_are_told_as_nobody_knows_them_to_the_second():
    assert [in_words(seconds) for seconds in (2, 34, 89, 100, 3000, 9000)] == [
        "10 s",
        "30 s",
        "90 s",
        "2 min",
        "50 min",
        "2.5 h",
    ]


def test_lines_say_what_there_is_and_what_comes(values):
    images = IMAGES | {
        "files": 900,
        "looked_at": 600,
        "classes": {f"class {number}": number for number in range(10, 40)},
        "subsets": {"train": 700, "validation": 35},
        "copies": 1,
        "contradicted": [["a.jpg", ""], ["b.jpg", ""]],
        "contradicted_count": 12,
        "strays": [["class owl", "few"]],
        "strays_count": 1,
        "divided": {"train": 30, "validation": 10, "test": 40},
        "least": {"train": 8, "validation": 2, "test": 8},
    }
    told = "\n".join(words.found("birds", images, "hash"))
    for part in (
        "735 images of 30 classes",
        "class 10 10",
        "class 39 39",
        "of 600 that were decoded",
        "1 exact copy",
        "12 are copies in different classes, left out: a.jpg, b.jpg, ...; set aside: class owl",
    ):
        assert part in told
    assert "divided anew" in told
    assert "split.order" not in told
    grouped = "\n".join(words.found("birds", images | {"groups": 9, "ungrouped": 2}, "hash"))
    assert "9 groups, each of which stays in one subset; 2 images are in none" in grouped
    kept = "\n".join(words.found("birds", images, "folders"))
    assert "they come as train 700, validation 35, and stay so" in kept
    assert "divided anew" not in kept
    halved = "\n".join(words.found("birds", images | {"subsets": {"train": 700, "test": 35}}, "folders"))
    assert "and stay so, but for validation images out of those of train" in halved
    here = work(values, 40)
    lines = "\n".join(words.cautions(images, here))
    assert "+-9 points" in lines
    assert "fine-tuning will be left out" in lines
    stages = ["features", "feature_extraction", "evaluate@feature_extraction", "scratch", "fine_tuned", "report"]
    plan = "\n".join(words.plan(Look(images, PRESET, None), here, stages, expect(stages, here)))
    assert "fine_tuned" not in plan
    low, high = (duration.in_words(factor * expect(stages, here).seconds) for factor in (1, 3))
    assert f"time: {low} to {high}, the first figures after" in plan
    assert "no run here has told" in plan
    assert "first figures after" in plan
    # Of a run that measures nothing there are none to wait for.
    data = ["download", "split"]
    only = "\n".join(words.plan(Look(images, PRESET, None), here, data, expect(data, here)))
    assert "time: " in only
    assert "first figures" not in only
    nothing = "\n".join(words.plan(Look(images, PRESET, None), here, [], expect([], here)))
    assert "up to date" in nothing


def test_the_pace_lies_where_no_one_keeps_it():
    assert Path(".smallset") in duration.PACE.parents
