"""A terminal of some size for what is shown, and stages that only say things."""

import os
import pty
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO

import pytest

from flows.execution.process_output import Outcome, Report, StageResult
from flows.execution.stage_lines import lines_of
from flows.execution.watching import watcher
from flows.terminal.plain import PlainWatcher
from flows.terminal.state import RunState

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@contextmanager
def terminal(columns: int, rows: int, patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Stand at a terminal: stderr is one; yields a list that gets all that was written there when the block ends."""
    written: list[str] = []
    parts: list[bytes] = []
    ours, theirs = pty.openpty()

    def read() -> None:
        while True:
            try:
                content = os.read(ours, 1 << 16)
            except OSError:
                return
            if not content:
                return
            parts.append(content)

    reader = threading.Thread(target=read)
    reader.start()
    with patch.context() as inside, os.fdopen(theirs, "w", encoding="utf-8") as stream:
        for name in ("NO_COLOR", "FORCE_COLOR"):
            inside.delenv(name, raising=False)
        # The size of a terminal is asked of the first three files of a process, and this is none of them.
        inside.setenv("COLUMNS", str(columns))
        inside.setenv("LINES", str(rows))
        inside.setenv("TERM", "xterm-256color")
        inside.setattr(sys, "stderr", stream)
        yield written
    reader.join()
    os.close(ours)
    written.append(b"".join(parts).decode())


def run_stages(*stages: tuple[str, Sequence[str]], failed: str = "", taken: list[str] | None = None) -> None:
    """Run stages that say these lines, one after the other."""
    watcher().planned([name for name, _ in stages], (), {})
    for name, lines in stages:
        with lines_of(name, (taken if taken is not None else []).append) as take:
            report = Report(name, take)
            report.take("".join(f"{line}\n" for line in lines).encode())
        outcome = Outcome.FAILED if failed else Outcome.RAN
        watcher().ended(StageResult(name, outcome, 2.0, failed))


def frames(written: str) -> list[list[str]]:
    """What the live display drew: the lines of each frame, without colours."""
    # Each frame begins where the last one is taken away.
    found = re.split(r"\r\x1b\[2K(?:\x1b\[1A\x1b\[2K)*", written)
    return [CONTROL.sub("", frame).replace("\r", "").split("\n") for frame in found]


def left_on_screen(written: str) -> list[str]:
    """The lines that are there to be read at the end, as a terminal of any height has them; empty ones left out."""
    lines, row = [""], 0
    for part in re.split(r"(\r\n|\r|\x1b\[[0-9;?]*[A-Za-z])", written):
        if part == "\r\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[1A":
            row -= 1
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part and part != "\r" and not CONTROL.fullmatch(part):
            lines[row] += part
    return [line for line in lines if line]


def plain(clock=time.monotonic):
    """What writes plain lines, and where it writes them."""
    stream = StringIO()
    return PlainWatcher(RunState(clock), stream), stream
