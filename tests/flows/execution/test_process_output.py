import time

import pytest

from flows.execution.process_output import Outcome, Report


def report(*content: bytes, returncode: int = 0):
    lines: list[str] = []
    made = Report("train", lines.append)
    for part in content:
        made.take(part)
    made.flush()
    return made.result(returncode, 1.0, False), lines


def test_of_frames_that_draw_over_each_other_the_last_is_kept():
    _, lines = report(
        b"\b\b\b\r\x1b[1m1/2\x1b[0m loss 3\b\b\b\b\r2/2 loss 1\n", b"\rdown 50 %\rdown 100 %\r\n", b"half"
    )
    assert lines == ["2/2 loss 1", "down 100 %", "half"]


def test_a_line_may_come_in_pieces():
    _, lines = report("näh".encode()[:2], "näh".encode()[2:] + b"er\n  indented\n")
    assert lines == ["näher", "  indented"]


KILLED = "killed (SIGKILL), as a system does that runs out of memory"


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (b"Running stage 'train':\n", Outcome.RAN),
        (b"Stage 'train' is cached - skipping run, checking out outputs\n", Outcome.RESTORED),
        (b"Stage 'train' didn't change, skipping\n", Outcome.UP_TO_DATE),
        (b"Running stage 'train':\nStage 'train' didn't change, skipping\n", Outcome.RAN),
    ],
)
def test_the_first_word_of_dvc_decides_the_outcome(line, outcome):
    assert report(line)[0].outcome is outcome


@pytest.mark.parametrize(
    ("lines", "reason", "may_pass_later"),
    [
        (b"Running stage 'train':\nerror: no images\nERROR: failed to run: x, exited with 1\n", "no images", False),
        (b"Running stage 'train':\nerror: train: no images\nERROR: failed: x, exited with 1\n", "no images", False),
        (b"Running stage 'train':\nerror: no network\nERROR: failed to run: x, exited with 75\n", "no network", True),
        (
            b"Running stage 'train':\nTraceback (most recent call last):\n  File\nKeyError: 3\nERROR: no\n",
            "KeyError: 3",
            True,
        ),
        (b"ERROR: failed to reproduce 'train': missing data 'source': a\n", "missing data 'source': a", False),
        (b"Running stage 'train':\nERROR: failed to run: x, exited with -9\n", KILLED, True),
        (b"Running stage 'train':\nKilled\nERROR: failed to run: x, exited with 137\n", KILLED, True),
        (b"", "dvc ended with 255", False),
    ],
)
def test_the_reason_of_a_failure(lines, reason, may_pass_later):
    result, _ = report(lines, returncode=255)
    assert (result.outcome, result.reason, result.may_pass_later) == (Outcome.FAILED, reason, may_pass_later)


def test_of_a_bar_without_end_only_the_last_frames_are_kept():
    lines: list[str] = []
    report = Report("a", lines.append)
    started = time.process_time()
    for _ in range(200):
        report.take(b"10 % \r20 % \r" * 10_000)
    report.take(b"done\n")
    assert lines == ["done"]
    assert time.process_time() - started < 3
