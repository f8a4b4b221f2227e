"""One page that says which model to use, how good it is, and what stands behind that."""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from stages.lib import entry, report_charts, report_pictures
from stages.lib.evaluations import Evaluation, read_evaluations, recommended_of
from stages.lib.outputs import whole_file
from stages.lib.page import render
from stages.lib.params import Params

SIGNIFICANT = 0.05


class ReportParams(Params):
    """Section `report`.

    worst: most confidently wrong pictures shown of each model.
    """

    worst: Annotated[int, Field(ge=0)]


def report(
    dataset: Path,
    split: Path,
    rejected: Path,
    duplicates: Path,
    models: Path,
    evaluations: Path,
    report: Path,
    summary: Path,
    params: ReportParams,
) -> None:
    """Write the page `report`, one file that makes no request, and its headline as figures to `summary`.

    Raises:
        UserError: every model is turned off.
    """
    found = read_evaluations(models, evaluations)
    chosen = recommended_of(found)
    content = {
        "chosen": chosen,
        "evaluations": found,
        "colors": {one.name: report_charts.color_of(found, one.name) for one in found},
        "not_worse": [one.name for one in found if one.p_value is not None and one.p_value >= SIGNIFICANT],
        "significant": SIGNIFICANT,
        "charts": _charts(found, evaluations),
        "wrong": {
            one.name: report_pictures.most_confidently_wrong(one, dataset, params.worst) for one in _from(chosen, found)
        },
        "sheets": _sheets(found, models),
        "split": json.loads(split.read_text(encoding="utf-8")),
        "rejected": _rows(rejected),
        "duplicates": _rows(duplicates),
        "networks": {one.name: (models / one.name / "summary.txt").read_text(encoding="utf-8") for one in found},
    }
    page = render(content)
    with whole_file(report) as partial:
        partial.write_text(page, encoding="utf-8")
    with whole_file(summary) as partial:
        partial.write_text(json.dumps(_headline(chosen), indent=2) + "\n", encoding="utf-8")
    print(f"use {chosen.name}: accuracy {_interval(chosen)} on {chosen.figures['pictures']} test pictures")
    print(f"report: {report} ({len(page.encode()) / 1e6:.1f} MB)")


def _headline(chosen: Evaluation) -> dict[str, Any]:
    keys = ("accuracy", "accuracy_low", "accuracy_high", "validation_accuracy")
    return {"recommended": chosen.name} | {key: chosen.figures[key] for key in keys}


def _interval(one: Evaluation) -> str:
    value, low, high = (100 * one.figures[key] for key in ("accuracy", "accuracy_low", "accuracy_high"))
    return f"{value:.1f} % ({low:.1f} to {high:.1f} %)"


def _from(chosen: Evaluation, found: list[Evaluation]) -> list[Evaluation]:
    return [chosen, *(one for one in found if one is not chosen)]


def _charts(found: list[Evaluation], evaluations: Path) -> dict[str, Any]:
    curves: list[tuple[np.ndarray, np.ndarray]] = []
    for one in found:
        table = pd.read_csv(evaluations / one.name / "roc.csv")
        curves.append((table["false_positive_rate"].to_numpy(), table["true_positive_rate"].to_numpy()))
    return {
        "accuracy": report_charts.accuracy_chart(found),
        "roc": report_charts.roc_chart(found, curves),
        "curves": {one.name: report_charts.curves_chart(one, report_charts.color_of(found, one.name)) for one in found},
    }


def _sheets(found: list[Evaluation], models: Path) -> dict[str, str]:
    files = {one.name: models / one.name / "augmented.png" for one in found}
    return {name: report_pictures.embedded_sheet(file) for name, file in files.items() if file.is_file()}


def _rows(file: Path) -> list[dict[Any, str]]:
    return pd.read_csv(file, dtype=str, na_filter=False).to_dict("records")


if __name__ == "__main__":
    entry.run(report)
