"""The tables that benchmarks print."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None, width: int = 100) -> None:
    """Print rows, the first column to the left and figures to the right; `width`: characters, at least."""
    table = Table(
        title=None if title is None else Text(title), title_justify="left", box=None, header_style="dim", pad_edge=False
    )
    for number, column in enumerate(columns):
        table.add_column(Text(column), justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(width=max(Console().width, width)).print(table)
