"""Progress on stderr: a bar on a terminal, a line now and then in a log."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from safety.text import visible

Item = TypeVar("Item")
_LINES = 10  # in a log, of a whole run


@contextmanager
def progress(title: str, total: int | None, in_bytes: bool = False) -> Iterator[Callable[[int], None]]:
    """Yield a function that is told how much is done so far.

    Args:
        title: what is going on.
        total: how much there is to do; None where nobody knows.
        in_bytes: whether bytes are counted, rather than things.
    """
    title, console = visible(title), Console(stderr=True)
    if not console.is_terminal:
        yield _lines(title, total, in_bytes)
        return
    amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
    # A title names folders and archives: no markup in it.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), amount, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)


def tracked(items: Iterable[Item], title: str, total: int) -> Iterator[Item]:
    """Go through items and show how many are done."""
    with progress(title, total) as tell:
        for done, item in enumerate(items, 1):
            yield item
            tell(done)


def _lines(title: str, total: int | None, in_bytes: bool) -> Callable[[int], None]:
    step = max(1, total // _LINES) if total else (100_000_000 if in_bytes else 10_000)
    said = 0

    def tell(done: int) -> None:
        nonlocal said
        if done // step > said or (done == total and said < _LINES):
            said = _LINES if done == total else done // step
            unit = f"{done / 1e6:,.1f} MB" if in_bytes else f"{done:,}"
            print(f"{title}: {unit}" + (f" ({done * 100 // total} %)" if total else ""), file=sys.stderr, flush=True)

    return tell
