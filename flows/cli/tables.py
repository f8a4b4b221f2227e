"""What the command line shows: stages and models as tables."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.execution.process_output import Outcome, StageResult
from flows.project.graph import StageNode, up_to_date
from flows.run.results import BALANCED, Results, Row
from safety.text import visible

_STYLES = {Outcome.FAILED: "red", Outcome.STOPPED: "red", Outcome.NOT_RUN: "yellow", Outcome.RAN: "green"}
_PIPE = 160  # columns
_MOST = 3  # changes shown of one stage


def cell(text: object, style: str = "") -> Text:
    """Text of a table as it is: brackets are no markup, and what a terminal would obey is escaped."""
    return Text(visible(text), style=style)


def print_table(table: Table) -> None:
    """Print a table; a pipe has no width of its own."""
    Console(width=None if sys.stdout.isatty() else max(_PIPE, Console().width)).print(table)


def show_results(results: Sequence[StageResult]) -> None:
    """Show what became of each stage."""
    table = Table("stage", "outcome", "seconds", "why")
    table.columns[2].justify = "right"
    for result in results:
        style = _STYLES.get(result.outcome, "")
        seconds = f"{result.seconds:.1f}" if result.seconds else ""
        table.add_row(cell(result.name), cell(result.outcome, style), seconds, cell(result.reason))
    print_table(table)


def show_status(stages: Sequence[StageNode]) -> None:
    """Show which stages are up to date, and why the others are not."""
    fresh = up_to_date(stages)
    table = Table("stage", "status", "why")
    for stage in stages:
        if stage.name in fresh:
            status, why = cell("up to date", "green"), ""
        elif stage.at_work:
            status, why = cell("at work", "yellow"), "another process uses its files now"
        elif not stage.has_run:
            status, why = cell("never run", "yellow"), ""
        elif stage.changes:
            status, why = cell("changed", "yellow"), _shortened(stage.changes)
        else:
            stale = [name for name in stage.upstream if name not in fresh]
            status, why = cell("may change", "yellow"), f"depends on {', '.join(stale)}"
        table.add_row(cell(stage.name), status, cell(why))
    print_table(table)


def show_models(found: Results) -> None:
    """Show the most telling figures of every model; balanced accuracy only where it is the report's headline."""
    if not found.models:
        return
    measure = found.summary.get("headline", "accuracy")
    balanced = [BALANCED] if measure == BALANCED else []
    titles = [name.replace("_", " ") for name in balanced]
    table = Table("model", "accuracy", "95 % interval", *titles, "log loss", "ROC AUC", "validation")
    for column in table.columns[1:]:
        column.justify = "right"
    for model in found.models:
        interval = f"{_figure(model, 'accuracy_low')} to {_figure(model, 'accuracy_high')}"
        others = [_figure(model, name) for name in (*balanced, "log_loss", "roc_auc", f"validation_{measure}")]
        table.add_row(cell(model["model"]), _figure(model, "accuracy"), interval, *others)
    print_table(table)


def _shortened(changes: Sequence[str]) -> str:
    more = len(changes) - _MOST
    return ", ".join(changes[:_MOST]) + (f" and {more} more" if more > 0 else "")


def _figure(model: Row, name: str) -> str:
    return f"{model[name]:.3f}" if name in model else ""
