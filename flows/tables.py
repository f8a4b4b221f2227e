"""What the command line shows: stages and models as tables."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.graph import StageNode, up_to_date
from flows.process_output import Outcome, StageResult
from flows.results import BALANCED, Row

_STYLES = {Outcome.FAILED: "red", Outcome.STOPPED: "red", Outcome.NOT_RUN: "yellow", Outcome.RAN: "green"}
_PIPE = 160  # columns
_MOST = 3  # changes shown of one stage


def print_table(table: Table) -> None:
    """Print a table; a pipe has no width of its own."""
    Console(width=None if sys.stdout.isatty() else max(_PIPE, Console().width)).print(table)


def show_results(results: Sequence[StageResult]) -> None:
    """Show what became of each stage."""
    table = Table("stage", "outcome", "seconds", "why")
    table.columns[2].justify = "right"
    for result in results:
        style = _STYLES.get(result.outcome, "default")
        seconds = f"{result.seconds:.1f}" if result.seconds else ""
        table.add_row(escape(result.name), f"[{style}]{result.outcome}[/]", seconds, escape(result.reason))
    print_table(table)


def show_status(stages: Sequence[StageNode]) -> None:
    """Show which stages are up to date, and why the others are not."""
    fresh = up_to_date(stages)
    table = Table("stage", "status", "why")
    for stage in stages:
        if stage.name in fresh:
            status, why = "[green]up to date[/]", ""
        elif not stage.has_run:
            status, why = "[yellow]never run[/]", ""
        elif stage.changes:
            status, why = "[yellow]changed[/]", _shortened(stage.changes)
        else:
            stale = [name for name in stage.upstream if name not in fresh]
            status, why = "[yellow]may change[/]", f"depends on {', '.join(stale)}"
        table.add_row(escape(stage.name), status, escape(why))
    print_table(table)


def show_models(models: Sequence[Row], measure: str = "accuracy") -> None:
    """Show the most telling figures of every model that was evaluated.

    Args:
        measure: the report's headline; balanced accuracy is only shown where it is that.
    """
    if not models:
        return
    balanced = [BALANCED] if measure == BALANCED else []
    titles = [name.replace("_", " ") for name in balanced]
    table = Table("model", "accuracy", "95 % interval", *titles, "loss", "ROC AUC", "validation")
    for column in table.columns[1:]:
        column.justify = "right"
    for model in models:
        interval = f"{_figure(model, 'accuracy_low')} to {_figure(model, 'accuracy_high')}"
        others = [_figure(model, name) for name in (*balanced, "loss", "roc_auc", f"validation_{measure}")]
        table.add_row(escape(model["model"]), _figure(model, "accuracy"), interval, *others)
    print_table(table)


def _shortened(changes: Sequence[str]) -> str:
    more = len(changes) - _MOST
    return ", ".join(changes[:_MOST]) + (f" and {more} more" if more > 0 else "")


def _figure(model: Row, name: str) -> str:
    return f"{model[name]:.3f}" if name in model else ""
