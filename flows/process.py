"""One stage as one process of DVC: started, followed, ended."""

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from flows.process_output import LineTaker, Report, StageResult
from flows.process_tree import end

_POLL = 0.2  # seconds between two looks at whether the process has ended or shall end
_LAST_WORDS = 2.0  # seconds for what still comes after the end, from a descendant that keeps the pipe


def run_stage(name: str, take_line: LineTaker, stop: threading.Event) -> StageResult:
    """Run one stage, if DVC finds it changed, and hand over its lines as they come.

    Args:
        stop: ends the stage and all its descendants once it is set, as does any exception here.
    """
    started = time.monotonic()
    report = Report(name, take_line)
    process = _start(name)
    try:
        _follow(process, report.take, stop)
    finally:
        stopped = process.poll() is None
        # A DVC that was killed has left its stage at work.
        if stopped or process.returncode < 0:
            end(process)
        if process.stdout:
            process.stdout.close()
    report.flush()
    return report.result(process.returncode, time.monotonic() - started, stopped)


def _start(name: str) -> "subprocess.Popen[bytes]":
    # Stages are started as `python -m stages...`: this environment's Python, also where it is not activated.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return subprocess.Popen(
        [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PATH": path, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )


def _follow(process: "subprocess.Popen[bytes]", take: Callable[[bytes], None], stop: threading.Event) -> None:
    """Hand over what the process writes until it has ended or `stop` is set; never wait for the end of the pipe."""
    assert process.stdout
    deadline = float("inf")
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not stop.is_set() and time.monotonic() < deadline:
            ready = selector.select(_POLL)
            if process.poll() is not None:
                deadline = min(deadline, time.monotonic() + _LAST_WORDS)
            if ready:
                content = os.read(process.stdout.fileno(), 1 << 16)
                if not content:
                    break
                take(content)
            elif process.returncode is not None:
                return
    while not stop.is_set() and process.poll() is None:
        stop.wait(_POLL)
