"""What a run leaves to look at: the figures of every model, the headline, and the report."""

import csv
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from flows.project.outputs import read_makers
from flows.project.records import SUMMARY, check_summary
from safety.text import markdown, visible
from safety.words import counted

REPORT = Path("report") / "report.html"
RUN_REPORT = Path("report") / "run.html"  # the same together with the run that made it
COMPARISONS = Path("report") / "comparisons.csv"
FIGURES = "evaluation/*/figures.json"  # of each model, as `evaluate` writes them
BALANCED = "balanced_accuracy"
Row = dict[str, Any]

_OPPOSITE = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class Results:
    """What lies here to look at.

    Attributes:
        models: a row of figures each.
        summary: of the report.
        report: the page, if any.
    """

    models: Sequence[Row] = ()
    summary: Row = field(default_factory=dict)
    report: Path | None = None

    def __bool__(self) -> bool:
        """Whether there is anything to see."""
        return bool(self.models or self.summary)


def read_results(fresh: Collection[str]) -> tuple[Results, Results]:
    """Read the results of these stages, and apart from them those that lie here of earlier runs.

    Args:
        fresh: stages whose outputs are those of the parameters and files that are here now.

    Raises:
        FlowError: this is no project, or dvc.yaml cannot be read.
    """
    makers = read_makers()
    rows: dict[bool, list[Row]] = {True: [], False: []}
    for path, maker in makers.items():
        # A model that is turned off has no figures.
        if PurePosixPath(path).match(FIGURES) and (figures := read_figures(Path(path))):
            rows[maker in fresh].append({"model": Path(path).parent.name} | figures)
    summary = read_summary()
    report = report_file() if makers.get(REPORT.as_posix()) in fresh else None
    is_fresh = makers.get(SUMMARY.as_posix()) in fresh
    return Results(rows[True], summary if is_fresh else {}, report), Results(rows[False], {} if is_fresh else summary)


def read_figures(file: Path) -> Row:
    """The numbers that `evaluate` measured; empty where there are none, as of a run of an earlier Smallset."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    values = content.items() if isinstance(content, dict) else ()
    return {name: value for name, value in values if isinstance(value, int | float)}


def read_summary(file: Path = SUMMARY) -> Row:
    """Read what the report says of the recommended model; empty where there is no report.

    Raises:
        FlowError: a value is not of the kind that a report writes.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    check_summary(content, str(file))
    return content


def read_verdicts(recommended: str) -> dict[str, str]:
    """Read what the report says of each model beside the recommended one: better, worse or no difference shown."""
    try:
        with COMPARISONS.open(encoding="utf-8", newline="") as file:
            pairs = [(row["one"], row["other"], row["verdict"]) for row in csv.DictReader(file)]
    except (FileNotFoundError, KeyError):
        return {}
    verdicts = {recommended: "recommended"}
    for one, other, verdict in pairs:
        if other == recommended:
            verdicts[one] = verdict
        elif one == recommended:
            verdicts[other] = _OPPOSITE.get(verdict, verdict)
    return verdicts


def headline(summary: Row) -> str:
    """Which model to use, or not to use, and how good it is, in one line; empty where there is no report."""
    measure = summary.get("headline", "accuracy")
    if "recommended" not in summary or measure not in summary:
        return ""
    share = f"{100 * summary[measure]:.1f} %"
    if (low := summary.get(f"{measure}_low")) is not None and (high := summary.get(f"{measure}_high")) is not None:
        share += f" ({100 * low:.1f} to {100 * high:.1f} %)"
    images = counted(summary["images"], "test image") if "images" in summary else "the test images"
    of = f"balanced accuracy {share} on {images}" if measure == BALANCED else f"{share} of {images}"
    advice = summary.get("advice", "use")
    guessing = "" if advice == "use" else ", which may be guessing"
    return visible(f"{advice} {summary['recommended']}: {of}{guessing}")


def headline_and_verdict(summary: Row) -> str:
    """The headline, the verdict on the other models, why, each caution, what to do next; empty without a report."""
    first = ". ".join(text for text in (headline(summary), str(summary.get("verdict") or "")) if text)
    why = [f"why: {summary['why']}"] if summary.get("why") else []
    # The report has all steps, the most useful first.
    steps = [f"next: {text}" for text in (summary.get("next") or [])[:1]]
    lines = [first, *why, *(f"caution: {text}" for text in cautions(summary)), *steps]
    return "\n".join(map(visible, lines)) if first else ""


def cautions(summary: Row) -> list[str]:
    """What the report says is to be known before the recommended model is relied on: a sentence each."""
    return [str(text) for text in summary.get("cautions") or []]


def report_file() -> Path | None:
    """The report to look at, that of the last run before the bare one; None where there is none."""
    return next((file for file in (RUN_REPORT, REPORT) if file.is_file()), None)


def show_as_artifacts(fresh: Collection[str]) -> None:
    """Show the headline, the figures and the report of these stages among the artifacts of the flow run."""
    from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

    found, _ = read_results(fresh)
    if found.models:
        shown = [
            {name: visible(value) if isinstance(value, str) else value for name, value in one.items()}
            for one in found.models
        ]
        create_table_artifact(shown, key="metrics", description="Figures of models on the test images.")
    if line := headline(found.summary):
        create_markdown_artifact(_markdown(found.models, found.summary, found.report), key="results", description=line)
    if found.report:
        create_link_artifact(found.report.resolve().as_uri(), link_text=str(found.report), key="report")


def _markdown(models: Sequence[Row], summary: Row, report: Path | None) -> str:
    """The headline, the verdict and a row per model."""
    verdicts = read_verdicts(summary["recommended"])
    if summary.get("advice", "use") != "use":
        verdicts |= {summary["recommended"]: "chosen"}
    measures = {"accuracy": "accuracy"} | (
        {BALANCED: "balanced accuracy"} if summary.get("headline") == BALANCED else {}
    )
    titles = ["model", *(title for name in measures.values() for title in (name, "95 % interval"))]
    lines = [f"## {markdown(headline(summary))}", ""]
    for text in ("verdict", "why"):
        if summary.get(text):
            lines += [markdown(str(summary[text])), ""]
    if found := cautions(summary):
        lines += ["**Before you rely on it**", "", *(f"- {markdown(text)}" for text in found), ""]
    lines += [_row([*titles, "beside the recommended"]), _row(["---", *["---:"] * (len(titles) - 1), "---"])]
    for model in models:
        shares = [cell for measure in measures for cell in _cells(model, measure)]
        lines.append(_row([markdown(model["model"]), *shares, markdown(verdicts.get(model["model"], ""))]))
    if report:
        lines += ["", f"[{report}]({report.resolve().as_uri()})"]
    return "\n".join(lines)


def _cells(model: Mapping[str, Any], measure: str) -> list[str]:
    if measure not in model:
        return ["", ""]
    known = f"{measure}_low" in model and f"{measure}_high" in model
    interval = f"{100 * model[f'{measure}_low']:.1f} to {100 * model[f'{measure}_high']:.1f} %" if known else ""
    return [f"{100 * model[measure]:.1f} %", interval]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
