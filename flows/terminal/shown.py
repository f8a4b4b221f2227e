"""Which way a run is shown, and what of Prefect's own words a person sees: none."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flows.execution.stage_lines import TOLD
from flows.execution.watching import is_watched, watched_by, watcher
from flows.terminal.bars import is_lively, silence_bars
from flows.terminal.plain import PlainWatcher
from flows.terminal.state import RunState

_OURS = str(Path(__file__).resolve().parents[1])


@contextmanager
def shown(expected: Mapping[str, float] | None = None) -> Iterator[None]:
    """Show what runs in the block: as a live display at a terminal, else as plain lines.

    Args:
        expected: seconds of stages, where more is known than how long they took last time.
    """
    state = RunState(expected=expected)
    if is_lively():
        from flows.terminal.live import LiveWatcher

        # First of all: to import Prefect takes seconds.
        with LiveWatcher(state) as live, watched_by(live):
            _silence_tools()
            yield
    else:
        with watched_by(PlainWatcher(state)):
            _silence_tools()
            yield


class _ForPeople(logging.Filter):
    """Lets no record of Prefect through to a terminal, and those of others only where nobody watches.

    While somebody does, he is told what this project and other libraries log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the record."""
        is_ours = record.pathname.startswith(_OURS)
        is_theirs = record.name.startswith("prefect") and not is_ours
        if not is_watched():
            return not is_theirs
        # Lines of stages, above all, have been told already.
        if not is_theirs and not hasattr(record, TOLD):
            watcher().noted(record.getMessage())
        return False


def _silence_tools() -> None:
    """Have Prefect and DVC write nothing to this terminal, up to the end of the process; again it does nothing.

    Prefect says of every task that it was created, of Ctrl-C that the run has crashed, and at the very end that its
    server stops; the server keeps that. DVC draws bars over what is drawn here.
    """
    from prefect.logging.configuration import ensure_logging_setup

    # Its handlers are there from now on; when the rest of it is imported it changes nothing of them.
    ensure_logging_setup()
    for handler in logging.getLogger().handlers:
        if getattr(handler, "stream", None) in (sys.stderr, sys.__stderr__) and not handler.filters:
            handler.addFilter(_ForPeople())
    silence_bars()
