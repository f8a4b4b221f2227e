"""The models of two runs beside each other: `smallset compare`. A command, no stage of the graph."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from safety.text import markdown, visible
from stages.lib.comparison.run_comparison import (
    ModelChange,
    RunComparison,
    compare_runs,
    difference_in_points,
    figures,
    sentence,
    would_tell,
)
from stages.lib.comparison.runs import Refused, read_run
from stages.lib.comparison.wording import p_value, percent
from stages.lib.core.errors import UserError

_TESTS = {
    "accuracy": "exact McNemar test on the same images",
    "balanced_accuracy": "McNemar's test on the same images, every class counting the same",
}
_IMBALANCED = (
    "The classes are imbalanced and accuracy hides the small ones: the verdicts are of the balanced accuracy, the mean "
    "over the classes of the share that is right."
)


def compare(before: Path, after: Path, before_name: str, after_name: str) -> RunComparison:
    """Compare the models of two runs on the predictions kept with each.

    Args:
        before: directory of the one run, with evaluation/<model>/predictions.csv and report/summary.json.
        after: directory of the other run, likewise.
        before_name: what the one run is called in messages, such as a branch.
        after_name: what the other run is called.

    Returns:
        A comparison per model that is in both runs, and what else a reader needs to judge them.

    Raises:
        Refused: the test images or their labels differ, or nobody can tell whether they do.
        UserError: a run has no predictions, or no model is in both.
    """
    return compare_runs(read_run(before, before_name), read_run(after, after_name))


def _show_text(found: RunComparison, stale: Sequence[str]) -> None:
    for line in stale:
        print(f"CAUTION: {visible(line)}\n")
    print(f"{visible(sentence(found))}\n")
    if found.changes:
        table = Table(*_headings(found), box=None, header_style="dim", padding=(0, 1, 0, 0))
        for column in table.columns[1:-1]:
            column.justify = "right"
        table.columns[-1].overflow = "fold"
        table.columns[0].min_width = max(len(change.comparison.one) for change in found.changes)
        for change in found.changes:
            table.add_row(*(Text(visible(cell)) for cell in _cells(change, found)))
        # A pipe has no width of its own.
        Console(width=None if sys.stdout.isatty() else max(120, Console().width)).print(table)
        print()
    for line in _footnotes(found):
        print(visible(line))


def _show_markdown(found: RunComparison, stale: Sequence[str]) -> None:
    print(_markdown_heading(found.before.name, found.after.name))
    for line in stale:
        print(f"**CAUTION: {markdown(line)}**\n")
    print(f"**{markdown(sentence(found))}**\n")
    if found.changes:
        headings = _headings(found)
        print(_markdown_row(headings))
        print("|" + "|".join([" --- ", *[" ---: "] * (len(headings) - 2), " --- "]) + "|")
        for change in found.changes:
            print(_markdown_row(_cells(change, found)))
        print()
    for line in _footnotes(found):
        print(f"{markdown(line)}\n")


def _show_json(found: RunComparison, stale: Sequence[str]) -> None:
    print(json.dumps(figures(found) | ({"stale": list(stale)} if stale else {}), indent=2))


def _refuse_text(error: Refused, before: str, after: str) -> None:
    print(f"error: {visible(f'{before} and {after} are not compared: {error}')}", file=sys.stderr)


def _refuse_markdown(error: Refused, before: str, after: str) -> None:
    print(_markdown_heading(before, after))
    print(f"**Not compared**: {markdown(str(error))}\n")


def _refuse_json(error: Refused, before: str, after: str) -> None:
    print(json.dumps({"refused": str(error)}, indent=2))


def _headings(found: RunComparison) -> list[str]:
    kinds = ["balanced ", "accuracy "] if found.imbalanced else [""]
    return ["model", *(f"{kind}{when}" for kind in kinds for when in ("before", "after")), "difference", "p", "verdict"]


def _cells(change: ModelChange, found: RunComparison) -> list[str]:
    comparison = change.comparison
    shares = [*change.compared, *((change.before, change.after) if found.imbalanced else ())]
    needed = would_tell(comparison)
    return [
        comparison.one,
        *(percent(share.value) for share in shares),
        difference_in_points(comparison.difference),
        p_value(comparison.p_value),
        comparison.verdict + (f", {needed:,} images would tell" if needed else ""),
    ]


def _footnotes(found: RunComparison) -> Iterator[str]:
    yield f"Before: {found.before.name}. After: {found.after.name}. {found.images:,} test images."
    for run, models in ((found.before, found.only_before), (found.after, found.only_after)):
        if models:
            yield f"Only in {run.name}: {', '.join(models)}."
    yield from (f"{note[0].upper()}{note[1:]}." for note in found.notes)
    if found.imbalanced:
        yield _IMBALANCED
    words = found.measure.replace("_", " ")
    yield (
        f"Difference: {words} after less before, in percentage points, with its 95 % interval. "
        f"p: {_TESTS[found.measure]}, corrected by Holm's method."
    )
    yield from (f"Caution: {caution}" for caution in found.after.cautions)


def _markdown_heading(before: str, after: str) -> str:
    return f"### Models: {markdown(after)} beside {markdown(before)}\n"


def _markdown_row(cells: list[str]) -> str:
    return f"| {' | '.join(map(markdown, cells))} |"


_SHOW: dict[str, Callable[[RunComparison, Sequence[str]], None]] = {
    "text": _show_text,
    "markdown": _show_markdown,
    "json": _show_json,
}
_REFUSE: dict[str, Callable[[Refused, str, str], None]] = {
    "text": _refuse_text,
    "markdown": _refuse_markdown,
    "json": _refuse_json,
}


def main() -> None:
    """Read the command line, compare, and show it in one of three formats."""
    parser = argparse.ArgumentParser(prog="smallset compare")
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("--before-name", required=True)
    parser.add_argument("--after-name", required=True)
    parser.add_argument("--stale", action="append", default=[], help="what is not of now in one of the two")
    parser.add_argument("--format", choices=list(_SHOW), default="text")
    options = parser.parse_args()
    try:
        found = compare(options.before, options.after, options.before_name, options.after_name)
    except Refused as error:
        _REFUSE[options.format](error, options.before_name, options.after_name)
        sys.exit(1)
    except UserError as error:
        sys.exit(f"error: {visible(error)}")
    _SHOW[options.format](found, options.stale)


if __name__ == "__main__":
    main()
