"""A run as plain lines: for pipes, logs, and terminals that can or shall do no more."""

import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import TextIO

from rich.console import Console

from flows.execution.process_output import Outcome, StageResult
from flows.execution.stage_lines import Thinned
from flows.execution.watching import Watcher
from flows.terminal.fitting import fitted
from flows.terminal.progress import Progress
from flows.terminal.state import RunState
from flows.terminal.words import about, duration, words_of
from safety.text import shown, visible

_AT_ONCE = 10  # lines of a stage in one second
DVC = ("Running stage '", "> ", "ERROR: failed to reproduce")  # its own lines, which say nothing to a person
_ERRORS = ("error: ", "ERROR: ", "Traceback ", "CAUTION", "caution:")
_WHOLE = (*_ERRORS, "failed: ")  # are never shortened


class PlainWatcher(Watcher):
    """Writes a line for each beginning and end, and what stages say; of their progress one line a second at most."""

    def __init__(self, state: RunState | None = None, stream: TextIO | None = None) -> None:
        """Write nothing yet.

        Args:
            state: of the run, before it is planned.
            stream: by default stderr: stdout is for the results.
        """
        self._state, self._stream = state or RunState(), stream or sys.stderr
        self._clock = self._state.clock
        self._lock = threading.RLock()
        self._thinned: dict[str, Thinned] = {}
        self._held: dict[str, str] = {}
        self._told = float("-inf")

    def planned(self, names: Sequence[str], fresh: Collection[str], seconds: Mapping[str, float]) -> None:
        """Say how many stages there are to do."""
        with self._lock:
            self._state.plan(names, fresh, seconds)
            left = self._state.left()
            # A plan has said it already, with how sure that is.
            time = f", {about(left)}" if left and not self._state.is_planned else ""
            self._write(f"{self._state.to_do} of {len(names)} stages to do{time}")

    def started(self, name: str) -> None:
        """Say which stage begins."""
        with self._lock:
            self._state.start(name)
            more = "more lines; `smallset log` shows all"
            self._thinned[name] = Thinned(lambda line: self._say(name, line), more, _AT_ONCE, self._clock)
            self._say(name, words_of(name) or "begins")

    def said(self, name: str, line: str) -> None:
        """Write a line of a stage; of its progress, the first and the last are always there."""
        with self._lock:
            progress = self._state.say(name, line)
            if progress:
                self._take_progress(name, progress, line)
            elif line.startswith(DVC):
                return
            elif line.startswith(_ERRORS):
                self._say(name, line)
            elif name in self._thinned:
                self._thinned[name].take(line)

    def _take_progress(self, name: str, progress: Progress, line: str) -> None:
        stage = self._state.running.get(name)
        left = self._state.left_of(stage) if stage and progress.is_epoch and progress.done < progress.total else None
        text = f"{line}{f', {about(left)} left' if left else ''}"
        is_first = name not in self._held
        if is_first or self._clock() - self._told >= 1 or progress.done == progress.total:
            self._held[name], self._told = "", self._clock()
            self._say(name, text)
        else:
            self._held[name] = text

    def ended(self, result: StageResult) -> None:
        """Say what became of a stage that had something to do."""
        with self._lock:
            if self._state.is_told(result):
                return
            name = result.name
            if held := self._held.pop(name, ""):
                self._say(name, held)
            if name in self._thinned:
                self._thinned.pop(name).flush()
            if result.outcome is not Outcome.STOPPED:
                self._say(name, ended_as(result))
            self._state.end(name)

    def noted(self, text: str) -> None:
        """Write a word of the run."""
        with self._lock:
            self._write(text)

    def _say(self, name: str, line: str) -> None:
        text = f"[{self._state.place_of(name)}/{self._state.to_do}] {visible(name)}: {line}"
        self._write(text if line.startswith(_WHOLE) else self._fitted(text))

    def _write(self, text: str) -> None:
        self._stream.write(f"{shown(text)}\n")
        self._stream.flush()

    def _fitted(self, line: str) -> str:
        """A line that a terminal, if it is one, does not wrap."""
        return fitted(line, Console(file=self._stream).width - 1) if self._stream.isatty() else line


def ended_as(result: StageResult) -> str:
    """What became of a stage, in some words."""
    if result.outcome is Outcome.FAILED:
        return f"failed: {result.reason}"
    words = {Outcome.RAN: "done", Outcome.RESTORED: "restored from the cache"}.get(result.outcome, "unchanged")
    return f"{words}, {duration(result.seconds)}" if result.seconds >= 0.5 else words
