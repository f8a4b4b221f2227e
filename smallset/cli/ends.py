"""How a command ends that cannot go on: one line, and an exit code."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from safety.text import visible
from smallset.decoding import streams
from smallset.errors import UserError

FAILED, INTERRUPTED, BY_SIGNAL = 1, 130, 128  # the last and the number of a signal, as of every shell
_PIPE = 13  # number of the signal of a pipe that nobody reads any more


def code_of(work: Callable[[], int]) -> int:
    """Do work and give its exit code; a user's mistake, a fault of the machine and Ctrl-C are one line and a code.

    What ends the process from outside unwinds it first, so that no half of an output stays.
    """
    streams.open_closed()
    try:
        with _unwound_by_signals():
            code = work()
            sys.stdout.flush()  # here, where it can still be told that nobody reads
            return code
    except UserError as error:
        _say(f"error: {visible(error)}")
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on, as in `smallset predict ... | head`; Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BY_SIGNAL + _PIPE
    except OSError as error:
        where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        _say(f"error: {visible(where + (error.strerror or str(error)))}")
    return FAILED


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def _unwound_by_signals() -> Iterator[None]:
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        names = []

    def leave(number: int, _: object) -> None:
        sys.exit(BY_SIGNAL + number)

    # What is ignored, as `nohup` has it, stays so.
    names = [name for name in names if signal.getsignal(getattr(signal, name)) != signal.SIG_IGN]
    before = {name: signal.signal(getattr(signal, name), leave) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
