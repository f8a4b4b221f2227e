"""An amount of memory that all threads of a process share: who needs more than is left waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock


class TooMuchAtOnce(Exception):
    """More than the share that this process may use while others work beside it."""


class MemoryBudget:
    """Bytes that may be in use at one moment.

    Attributes:
        total: of them.
        share: what one piece of work may take beside others; more raises `TooMuchAtOnce`. None: it waits.
    """

    def __init__(self, total: int) -> None:
        """Nothing is in use."""
        self.total = total
        self.share: int | None = None
        self._used = 0
        self._changed, self._turn = Condition(), Lock()

    @contextmanager
    def held(self, amount: int) -> Iterator[None]:
        """Use so many bytes while the block runs; first wait until they are free, in the order of those who ask.

        Raises:
            TooMuchAtOnce: at once, with a `share`.
        """
        if self.share is not None and amount > self.share:
            raise TooMuchAtOnce
        amount = min(amount, self.total)  # alone, whatever it is
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._used + amount <= self.total)
            self._used += amount
        try:
            yield
        finally:
            with self._changed:
                self._used -= amount
                self._changed.notify_all()
