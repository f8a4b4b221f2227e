"""What a stage prints, read as progress; how long it still takes."""

import pytest

from flows.terminal.progress import Progress, progress_in
from flows.terminal.state import RunState
from flows.terminal.words import about, duration, words_of
from tests.packages import ROOT


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        ("epoch   3/60  loss 0.1 (validation 0.2), best", Progress("epoch 3 of 60", 3, 60, True)),
        ("epoch 1000/1000  loss 0.1", Progress("epoch 1000 of 1000", 1000, 1000, True)),
        ("decoding: 1,200 (30 %)", Progress("decoding: 30 %", 30, 100, False)),
        ("https://example.org/a: 12.5 MB (100 %)", Progress("https://example.org/a: 100 %", 100, 100, False)),
        ("train, of 2: 7 (7 %)", Progress("train, of 2: 7 %", 7, 100, False)),
        *(
            (line, None)
            for line in (
                "",
                "epoch",
                "epoch 0/5",
                "epoch 6/5  loss 1",
                "epoch 1/0",
                f"epoch {'9' * 5000}/{'9' * 5000}",
                "an epoch 1/5",
                "decoding: 10 (101 %)",
                "decoding: 1,200",
                "accuracy: very good (30 %)",
            )
        ),
    ],
)
def test_progress_is_read_from_lines(line, progress):
    assert progress_in(line) == progress


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_time_left_is_that_of_the_epochs_and_else_that_of_last_time():
    clock = Clock()
    state = RunState(clock)
    state.plan(["a", "b", "c"], {"a"}, {"b": 30.0, "c": 12.0})
    assert (state.to_do, state.left()) == (2, 42.0)
    b = state.start("b")
    clock.now = 10.0
    assert state.left() == 32.0
    state.say("b", "epoch 1/11  loss 1")
    clock.now = 12.0
    state.say("b", "epoch 2/11  loss 1")
    assert state.left_of(b) == 18.0
    clock.now = 13.0
    assert state.left() == 17.0 + 12.0
    # Epochs that are late are not yet done: no time below none.
    clock.now = 200.0
    assert state.left_of(b) == 0.0
    state.end("b")
    assert state.left() == 12.0
    c = state.start("c")
    clock.now = 213.0
    assert (state.left_of(c), state.left()) == (None, None)


def test_a_stage_that_begins_again_counts_its_epochs_anew():
    clock = Clock()
    state = RunState(clock)
    state.plan(["a"], (), {})
    stage = state.start("a")
    for now, line in ((1, "epoch 4/10"), (2, "epoch 5/10"), (10, "epoch 1/10"), (13, "epoch 2/10")):
        clock.now = now
        state.say("a", line)
    assert state.left_of(stage) == 24.0
    assert state.start("a").place == 1


def test_no_time_is_told_that_is_not_known_of_every_stage():
    state = RunState(Clock())
    state.plan(["a", "b"], (), {"a": 3.0})
    assert state.left() is None


def test_stages_side_by_side_take_less():
    clock = Clock()
    state = RunState(clock)
    state.plan(list("abcd"), (), dict.fromkeys("abcd", 10.0))
    state.start("a")
    state.start("b")
    assert state.left() == 20.0


@pytest.mark.parametrize(
    ("seconds", "exact", "rough"),
    [
        (0.2, "0 s", "about 1 s"),
        (59, "59 s", "about 59 s"),
        (59.6, "1 min 0 s", "about 1 min"),
        (134, "2 min 14 s", "about 2 min 10 s"),
        (660, "11 min 0 s", "about 11 min"),
        (7_260, "2 h 1 min", "about 2 h 1 min"),
    ],
)
def test_durations_are_words(seconds, exact, rough):
    assert (duration(seconds), about(seconds)) == (exact, rough)


def test_every_stage_has_plain_words():
    import yaml

    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert [name for name in stages if not words_of(name)] == []
