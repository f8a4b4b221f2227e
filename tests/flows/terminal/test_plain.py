"""A run as plain lines: `flows.terminal.plain`."""

import re
from io import StringIO

import pytest

from flows.execution.process_output import Outcome, StageResult
from flows.terminal.plain import PlainWatcher
from flows.terminal.state import RunState
from tests.flows.terminal.terminals import plain


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(("expected", "time"), [(None, ", about 8 s"), ({"a": 5.0}, "")])
def test_the_time_of_a_plan_is_not_said_twice(expected, time):
    stream = StringIO()
    PlainWatcher(RunState(expected=expected), stream).planned(["a"], [], {"a": 8.0})
    assert stream.getvalue() == f"1 of 1 stages to do{time}\n"


def test_plain_progress_is_thinned_and_has_its_first_and_last_line():
    clock = Clock()
    one, stream = plain(clock)
    one.planned(["a"], (), {})
    one.started("a")
    for epoch in range(1, 96):
        clock.now += 0.1
        one.said("a", f"epoch {epoch}/100  loss 1")
    one.ended(StageResult("a", Outcome.RAN, 10.0))
    told = [int(found) for found in re.findall(r"epoch (\d+)/", stream.getvalue())]
    # It stopped early, and the last epoch is there all the same.
    assert (told[0], told[-1]) == (1, 95)
    assert 9 <= len(told) <= 12
    assert stream.getvalue().endswith("[1/1] a: done, 10 s\n")


def test_a_stage_that_begins_is_told_by_what_it_does():
    one, stream = plain(Clock())
    one.planned(["split", "evaluate@scratch", "another"], (), {})
    for name in ("split", "evaluate@scratch", "another"):
        one.started(name)
    assert stream.getvalue().splitlines()[1:] == [
        "[1/3] split: check and divide the images",
        "[2/3] evaluate@scratch: measure it on the test images",
        "[3/3] another: begins",
    ]


def test_in_a_burst_no_error_is_lost_and_the_rest_is_counted():
    one, stream = plain(Clock())
    one.planned(["a"], (), {})
    one.started("a")
    for number in range(1_000):
        one.said("a", f"line {number}")
    one.said("a", "error: no images")
    one.said("a", "Traceback (most recent call last):")
    one.ended(StageResult("a", Outcome.FAILED, 1.0, "no images"))
    lines = stream.getvalue().splitlines()
    assert "[1/1] a: error: no images" in lines
    assert "[1/1] a: Traceback (most recent call last):" in lines
    assert "[1/1] a: (990 more lines; `smallset log` shows all)" in lines
    assert lines[-1] == "[1/1] a: failed: no images"
    assert len(lines) == 2 + 10 + 4
