"""Signals, as far as the system has them: Windows knows no closed terminal, and lets no process be deaf."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

if sys.platform == "win32":
    FROM_TERMINAL: tuple[signal.Signals, ...] = (signal.SIGINT,)
else:
    FROM_TERMINAL = (signal.SIGINT, signal.SIGHUP)
ENDING = (signal.SIGTERM, *FROM_TERMINAL)  # what a user, a system or a closed terminal ends a command with


@contextmanager
def deaf_to_terminal() -> Iterator[None]:
    """Neither Ctrl-C nor a closed terminal reaches what the block starts; this process hears of them after it."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, set(FROM_TERMINAL))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
