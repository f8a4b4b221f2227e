"""Tables in the width that there is: of the terminal, or of their own content where a pipe has none."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_PIPE = 240  # columns, from which on the last column of a table is folded in a pipe
_INDENT = "    "
_WIDEST = 10_000


def print_table(table: Table) -> None:
    """Print a table of texts; no name in it is cut.

    Where it is too wide for the terminal, its last column goes below each row; where that does not fit either, all
    columns but the first follow each row as text.
    """
    console = Console(highlight=False)
    natural = _natural_width(console, table)
    if not sys.stdout.isatty():
        for column in table.columns[:-1]:
            column.no_wrap = True
        least = natural - _width(_cells(table)[-1]) + min(_width(_cells(table)[-1]), 40)
        Console(width=max(least, min(natural, _PIPE)), highlight=False).print(table)
    elif natural <= console.width:
        console.print(table)
    else:
        _print_narrow(console, table)


def say(text: str) -> None:
    """Print sentences; a terminal, which would break them anywhere, gets them broken between words."""
    if sys.stdout.isatty():
        Console(highlight=False).print(Text(text), overflow="fold")
    else:
        print(text)


def _natural_width(console: Console, table: Table) -> int:
    return Measurement.get(console, console.options.update(max_width=_WIDEST), table).maximum


def _print_narrow(console: Console, table: Table) -> None:
    titles = [_text(column.header) for column in table.columns]
    columns = _cells(table)
    widths = [max(title.cell_len, _width(cells)) for title, cells in zip(titles, columns, strict=True)][:-1]
    is_beside = sum(widths) + 2 * len(widths) <= console.width
    if is_beside:
        console.print(_aligned(table, titles, widths, "bold"))
    for row in zip(*columns, strict=True):
        if is_beside:
            console.print(_aligned(table, row, widths))
            # A figure needs the title of its column, a sentence does not.
            is_figure = table.columns[-1].justify == "right" and row[-1]
            rest = Text.assemble(titles[-1], " ", row[-1]) if is_figure else row[-1]
        else:
            console.print(row[0], overflow="fold")
            named = [Text.assemble(title, " ", cell) for title, cell in zip(titles[1:], row[1:], strict=True) if cell]
            rest = Text(", ").join(named)
        for line in rest.wrap(console, console.width - len(_INDENT), overflow="fold") if rest else ():
            line.rstrip()
            console.print(Text(_INDENT) + line)


def _aligned(table: Table, row: Sequence[Text], widths: Sequence[int], style: str = "") -> Text:
    """A row without its last cell, in columns of these widths."""
    line = Text(style=style, no_wrap=True)
    for column, cell, width in zip(table.columns, row, widths, strict=False):
        padding = Text(" " * (width - cell.cell_len))
        line.append_text(padding + cell if column.justify == "right" else cell + padding).append("  ")
    line.rstrip()
    return line


def _cells(table: Table) -> list[list[Text]]:
    """The cells of each column."""
    return [[_text(cell) for cell in column.cells] for column in table.columns]


def _text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))


def _width(cells: Sequence[Text]) -> int:
    return max((cell.cell_len for cell in cells), default=0)
