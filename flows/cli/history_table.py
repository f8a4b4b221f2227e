"""The table of saved runs."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table

from flows.cli.tables import cell
from flows.registry.history import Entry, Word
from flows.run.results import BALANCED
from flows.terminal.tables import print_table
from safety.text import visible

_STYLES = {"promoted": "green", "rejected": "yellow", "failed": "red", "undecided": "red", "held": "yellow"}


def show_history(entries: Sequence[Entry], words: Sequence[Word] = (), use: str = "") -> None:
    """Show the saved runs: when, run, commit, images, model, accuracy with its interval, what was decided and why.

    Args:
        words: what people did by hand, shown between the runs.
        use: which model is in use, in one line.
    """
    if not entries and not words:
        print("no saved runs yet: `smallset run --save` and `smallset retrain` save one each")
        return
    table = Table("started, UTC", "run", "commit", "images", "model", "accuracy", "decision", "version", "why")
    for column in (3, 5):
        table.columns[column].justify = "right"
    rows: list[Entry | Word] = [*entries, *words]
    for row in sorted(rows, key=lambda row: row.started, reverse=True):
        table.add_row(*(_run(row) if isinstance(row, Entry) else _word(row)))
    print_table(table)
    if use:
        print(visible(use))


def _run(entry: Entry) -> list[RenderableType]:
    decision = entry.decision or entry.outcome
    return [
        *_start(entry),
        " + ".join(f"{count:,}" for count in entry.images.values()),
        cell(entry.recommended),
        _measured(entry),
        cell(decision, _STYLES.get(decision, "")),
        _version(entry),
        cell(entry.reason),
    ]


def _word(word: Word) -> list[RenderableType]:
    return [
        *_start(word),
        "",
        "",
        "",
        cell(f"{word.decision}, by hand"),
        _version(word),
        cell(f"{word.who}: {word.reason}"),
    ]


def _start(row: Entry | Word) -> list[RenderableType]:
    when = cell(row.started.replace("T", " ").removesuffix("+00:00"))
    return [when, cell(row.run.removeprefix("run/")), row.commit[:8]]


def _version(row: Entry | Word) -> RenderableType:
    return cell(f"{row.version}, in use", "bold") if row.in_use else cell(row.version)


def _measured(entry: Entry) -> str:
    if entry.measured is None:
        return ""
    value, low, high = entry.measured
    return f"{value:.3f} ({low:.3f} to {high:.3f})" + (" balanced" if entry.headline == BALANCED else "")
