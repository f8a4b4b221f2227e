"""What a process writes into a pipe, awaited for some seconds; Windows can wait for a pipe only in a thread."""

import os
import selectors
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Thread
from typing import IO

_PIECE = 1 << 16  # bytes
# Waits for some seconds: gives a piece, no bytes at the end of the pipe, None where nothing has come.
Read = Callable[[float], bytes | None]


@contextmanager
def reading(pipe: IO[bytes]) -> Iterator[Read]:
    """Read a pipe piece by piece; a descendant of the writer may keep it open for as long as it likes."""
    with (_by_thread if sys.platform == "win32" else _by_selector)(pipe) as read:
        yield read


@contextmanager
def _by_selector(pipe: IO[bytes]) -> Iterator[Read]:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        yield lambda seconds: os.read(pipe.fileno(), _PIECE) if selector.select(seconds) else None


@contextmanager
def _by_thread(pipe: IO[bytes]) -> Iterator[Read]:
    pieces: Queue[bytes] = Queue()
    # Of its own: the pipe is closed while the thread may still wait for it, and its number is given to another file.
    number = os.dup(pipe.fileno())

    def collect() -> None:
        with os.fdopen(number, "rb", buffering=0) as own:
            while piece := own.read(_PIECE):
                pieces.put(piece)
        pieces.put(b"")

    def read(seconds: float) -> bytes | None:
        try:
            return pieces.get(timeout=seconds)
        except Empty:
            return None

    Thread(target=collect, daemon=True).start()
    yield read
