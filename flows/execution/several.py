"""What one process of DVC writes that runs several stages, one after the other."""

import time
from collections.abc import Callable, Sequence

from flows.execution.process_output import LineTaker, Report, StageResult


class Reports:
    """Gives each line to the stage that is at work; a stage begins where DVC says so."""

    def __init__(self, names: Sequence[str], begin: Callable[[str], LineTaker]) -> None:
        """Begin with the first stage.

        Args:
            names: of the stages, in the order in which DVC runs them.
            begin: called as a stage begins; gives what takes its lines.
        """
        self._waiting, self._begin = list(names), begin
        self._began: list[tuple[Report, float]] = []
        self._rest = b""
        self._next()

    def _next(self) -> None:
        name = self._waiting.pop(0)
        self._began.append((Report(name, self._begin(name)), time.monotonic()))

    def take(self, content: bytes) -> None:
        """Take the next bytes, which may end anywhere."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            self._take(line + b"\n")

    def flush(self) -> None:
        """Take a last line that no newline ends."""
        self._take(self._rest)
        self._began[-1][0].flush()
        self._rest = b""

    def _take(self, line: bytes) -> None:
        if self._waiting and Report.begins(self._waiting[0], line):
            self._next()
        self._began[-1][0].take(line)

    def results(self, returncode: int, stopped: bool) -> list[StageResult]:
        """Say what became of the stages that have begun, once the process has ended."""
        ends = [*(since for _, since in self._began[1:]), time.monotonic()]
        times = [end - since for (_, since), end in zip(self._began, ends, strict=True)]
        whole = [report.result(0, took, False) for (report, _), took in zip(self._began[:-1], times, strict=False)]
        return [*whole, self._began[-1][0].result(returncode, times[-1], stopped)]
