"""The table of saved runs."""

from collections.abc import Sequence

from rich.table import Table

from flows.history import Entry
from flows.results import BALANCED
from flows.tables import cell, print_table

_STYLES = {"promoted": "green", "rejected": "yellow", "failed": "red", "undecided": "red"}


def show_history(entries: Sequence[Entry]) -> None:
    """Show the saved runs: when, run, commit, pictures, model, accuracy with its interval, what was decided and why."""
    if not entries:
        print("no saved runs yet: `smallset run --save` and `smallset retrain` save one each")
        return
    table = Table("started, UTC", "run", "commit", "pictures", "model", "accuracy", "decision", "version", "why")
    for column in (3, 5):
        table.columns[column].justify = "right"
    for entry in entries:
        decision = entry.decision or entry.outcome
        table.add_row(
            cell(entry.started.replace("T", " ").removesuffix("+00:00")),
            cell(entry.run.removeprefix("run/")),
            entry.commit[:8],
            " + ".join(f"{count:,}" for count in entry.pictures.values()),
            cell(entry.recommended),
            _measured(entry),
            cell(decision, _STYLES.get(decision, "")),
            cell(f"{entry.version}, in use", "bold") if entry.in_use else cell(entry.version),
            cell(entry.reason),
        )
    print_table(table)


def _measured(entry: Entry) -> str:
    if entry.measured is None:
        return ""
    value, low, high = entry.measured
    return f"{value:.3f} ({low:.3f} to {high:.3f})" + (" balanced" if entry.headline == BALANCED else "")
