"""`flows.execution.process_tree`: who is interrupted, and who ends by itself."""

import signal
import subprocess
import sys

import psutil
import pytest

from flows.execution import process_tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGINT for others")
# As DVC: deaf while its stage runs, then it writes down that it uses no file any more.
LEADER = """
import signal, subprocess, sys, time
stage = subprocess.Popen(sys.argv[1]) if sys.argv[1] else None
before = signal.signal(signal.SIGINT, signal.SIG_IGN if stage else signal.default_int_handler)
print("ready", flush=True)
if stage:
    stage.wait()
    signal.signal(signal.SIGINT, before)
time.sleep(float(sys.argv[2]))
print("whole", flush=True)
"""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, signal.Signals]]:
    """Numbers of the processes that were told something, and what."""
    found: list[tuple[int, signal.Signals]] = []
    real = process_tree._send

    def send(process: psutil.Process, number: signal.Signals) -> None:
        found.append((process.pid, number))
        real(process, number)

    monkeypatch.setattr(process_tree, "_send", send)
    return found


def started(stage: str, seconds: float) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", LEADER, stage, str(seconds)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    return process


def said(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout
    with process.stdout as pipe:
        return pipe.read()


def test_who_ends_with_its_stage_is_not_interrupted_while_it_cleans_up(sent, tmp_path):
    (stage := tmp_path / "stage").write_text("#!/bin/sh\nexec sleep 45.5\n")
    stage.chmod(0o700)
    process = started(str(stage), 0.3)
    [child] = psutil.Process(process.pid).children()
    process_tree.end(process)
    assert (said(process), process.returncode) == (b"whole\n", 0)
    assert sent == [(child.pid, signal.SIGINT)]


def test_who_is_between_two_stages_ends_what_it_writes(sent):
    process = started("", 0.3)
    process_tree.end(process)
    assert (said(process), process.returncode, sent) == (b"whole\n", 0, [])


@pytest.mark.parametrize("stage", ["", "true"], ids=["has none", "has ended"])
def test_who_goes_on_without_a_stage_is_interrupted(sent, monkeypatch, stage):
    monkeypatch.setattr(process_tree, "_OWN_END", 0.2)
    process = started(stage, 45.5)
    process_tree.end(process)
    assert (said(process), process.returncode) == (b"", -signal.SIGINT)
    assert sent[-1] == (process.pid, signal.SIGINT)


def test_what_begins_while_all_else_ends_is_interrupted_too(sent, tmp_path):
    (stage := tmp_path / "stage").write_text("#!/bin/sh\ntrap : INT\nsleep 45.5\nsleep 45.5\n")
    stage.chmod(0o700)
    process = started(str(stage), 0)
    process_tree.end(process)
    assert said(process) == b"whole\n"
    assert process.pid not in dict(sent)
