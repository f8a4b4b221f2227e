"""How far it is, and how long it still takes, on stderr: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from safety.words import counted

_WORTH_IT = 32  # images: fewer are done before anybody asks
_LINES = 10  # in a log, of a whole run
_LINE_EVERY = 10_000  # images in a log, where nobody knows how many there are
_REDRAWN = 0.2  # seconds between two states of a bar
_CLEAR = "\r\x1b[K"


class Progress:
    """A count of images that are done, and lines of text that go beside it.

    Attributes:
        done: images so far.
        seconds: since the first.
    """

    def __init__(self, total: int | None) -> None:
        """Begin; `total`: how many there are, None where nobody knows."""
        self.done, self.total = 0, total
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    def tell(self, done: int) -> None:
        """So many are done."""
        self.done = done

    def say(self, line: str) -> None:
        """Print a line on stderr."""
        print(line, file=sys.stderr, flush=True)

    def state(self) -> str:
        """In words: how many, how fast, how long it still takes."""
        rate = self.done / max(self.seconds, 1e-9)
        said = f"{counted(self.done, 'image')}, {rate:,.0f} a second"
        if self.total is None or not rate:
            return said
        left = _minutes((self.total - self.done) / rate)
        return f"{self.done:,} of {counted(self.total, 'image')}, {rate:,.0f} a second, {left} left"


class _Lines(Progress):
    def tell(self, done: int) -> None:
        step = max(1, self.total // _LINES) if self.total else _LINE_EVERY
        before, self.done = self.done, done
        if done // step > before // step:
            self.say(self.state())


class _Bar(Progress):
    _drawn = 0.0

    def tell(self, done: int) -> None:
        self.done = done
        if time.monotonic() - self._drawn >= _REDRAWN:
            self._drawn = time.monotonic()
            sys.stderr.write(_CLEAR + self.state())
            sys.stderr.flush()

    def say(self, line: str) -> None:
        sys.stderr.write(_CLEAR)
        super().say(line)


class _RichBar(Progress):
    def __init__(self, total: int | None, bar: Any) -> None:
        super().__init__(total)
        self._bar, self._task = bar, bar.add_task("images", total=total)

    def tell(self, done: int) -> None:
        self.done = done
        self._bar.update(self._task, completed=done)

    def say(self, line: str) -> None:
        self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(total: int | None, beside_rows: bool) -> Iterator[Progress]:
    """Yield what is told how many images are done; a bar is gone at the end.

    Args:
        total: how many there are; None where nobody knows.
        beside_rows: whether rows of a table appear on the same terminal, which a bar would run through.
    """
    if total is not None and total < _WORTH_IT:
        yield Progress(total)
    elif not sys.stderr.isatty() or (beside_rows and sys.stdout.isatty()):
        yield Progress(total) if sys.stderr.isatty() else _Lines(total)
    elif find_spec("rich") is not None:
        with _rich() as bar:
            yield _RichBar(total, bar)
    else:
        try:
            yield _Bar(total)
        finally:
            sys.stderr.write(_CLEAR)


def _rich() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn())
    return RichProgress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
