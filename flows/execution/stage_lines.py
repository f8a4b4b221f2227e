"""Where the lines of a stage go: into its log, to who watches, and on to Prefect, which keeps each in a database."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from flows.execution.process_output import LineTaker
from flows.execution.stage_log import StageLog, log_file
from flows.execution.watching import Watcher, watcher

TOLD = "is_told"  # what a record of the log is marked with that who watches has seen already
_AT_ONCE = 50  # lines a second that are passed on one by one


@contextmanager
def lines_of(name: str, log: LineTaker, is_shown: bool = True) -> Iterator[LineTaker]:
    """Yield what takes the lines of a stage that runs here.

    Args:
        log: of Prefect. A burst is thinned for it: it would take longer to keep the lines than the stage to write them.
        is_shown: whether who watches is told.
    """
    who = watcher() if is_shown else Watcher()
    kept, thinned = StageLog(name), Thinned(log, f"more lines, in {log_file(name)}", _AT_ONCE)

    def take(line: str) -> None:
        # A full disk ends the stage, which says so; that its log has a gap need not.
        with suppress(OSError):
            kept.write(line)
        who.said(name, line)
        thinned.take(line)

    who.started(name)
    try:
        yield take
    finally:
        kept.close()
        thinned.flush()


def log_of(logger: Any) -> LineTaker:
    """What takes the lines of a stage for a logger of Prefect, marked as such: who watches has seen them already."""
    return partial(logger.info, extra={TOLD: True})


def word_of_run(logger: Any) -> LineTaker:
    """What takes a word of the run itself: for who watches, who is told it once, and for a logger of Prefect."""
    log = log_of(logger)

    def tell(line: str) -> None:
        log(line)
        watcher().noted(line)

    return tell


class Thinned:
    """Passes so many lines a second on, and says how many more there were."""

    def __init__(self, take: LineTaker, more: str, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing said.

        Args:
            more: what follows the number of lines that were left out.
            at_once: lines of one second.
            clock: gives seconds.
        """
        self._take, self._more, self._most, self._clock = take, more, at_once, clock
        self._begun, self._count, self._left_out = float("-inf"), 0, 0

    def take(self, line: str) -> None:
        """Pass a line on, or count it."""
        if (now := self._clock()) - self._begun >= 1:
            self.flush()
            self._begun, self._count = now, 0
        if self._count < self._most:
            self._count += 1
            self._take(line)
        else:
            self._left_out += 1

    def flush(self) -> None:
        """Say how many lines were left out, if any."""
        if self._left_out:
            self._take(f"({self._left_out:,} {self._more})")
            self._left_out = 0
