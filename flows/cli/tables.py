"""What the command line shows: stages and models as tables."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from flows.project.graph import StageNode, up_to_date
from flows.run.results import BALANCED, Results, Row
from flows.terminal.tables import print_table, say
from flows.terminal.words import about, duration
from safety.text import visible
from safety.words import counted, first_and_more

_MOST = 3  # changes shown of one stage


def cell(text: object, style: str = "") -> Text:
    """Text of a table as it is: brackets are no markup, and what a terminal would obey is escaped."""
    return Text(visible(text), style=style)


def show_status(stages: Sequence[StageNode], seconds: Mapping[str, float]) -> None:
    """Show which stages are up to date, why the others are not, and what a run would do.

    Args:
        seconds: how long stages took when they last ran, where that is known.
    """
    fresh = up_to_date(stages)
    table = Table("stage", "status", "last time", "why")
    table.columns[2].justify = "right"
    for stage in stages:
        if stage.name in fresh:
            status, why = cell("up to date", "green"), ""
        elif stage.at_work:
            status, why = cell("at work", "yellow"), "another process uses its files now"
        elif not stage.has_run:
            status, why = cell("never run", "yellow"), ""
        elif stage.changes:
            status, why = cell("changed", "yellow"), first_and_more(stage.changes, _MOST)
        else:
            stale = [name for name in stage.upstream if name not in fresh]
            status, why = cell("may change", "yellow"), f"depends on {', '.join(stale)}"
        took = duration(seconds[stage.name]) if stage.name in seconds else ""
        table.add_row(cell(stage.name), status, took, cell(why))
    print_table(table)
    say(to_do([stage.name for stage in stages if stage.name not in fresh], len(stages), seconds))


def to_do(stale: Sequence[str], total: int, seconds: Mapping[str, float]) -> str:
    """What a run would do, and how long that took last time, in one line."""
    if not stale:
        return "a run would do nothing: no stage has changed"
    known = [seconds[name] for name in stale if name in seconds]
    text = f"a run would do {len(stale)} of {counted(total, 'stage')}"
    if not known:
        return f"{text}; how long that takes is not known: none of them has run here yet"
    missing = len(stale) - len(known)
    more = f"; of {counted(missing, 'further stage')} no time is known" if missing else ""
    return f"{text}: {about(sum(known))}, as last time{more}"


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
        low, high = _figure(model, "accuracy_low"), _figure(model, "accuracy_high")
        interval = f"{low} to {high}" if low and high else ""
        others = [_figure(model, name) for name in (*balanced, "log_loss", "roc_auc", f"validation_{measure}")]
        table.add_row(cell(model["model"]), _figure(model, "accuracy"), interval, *others)
    print_table(table)


def _figure(model: Row, name: str) -> str:
    return f"{model[name]:.3f}" if name in model else ""
