"""What the templates of the report name: of the models, and of the data."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from stages.lib.comparison.evaluations import Results, called, title_of
from stages.lib.comparison.paired_accuracies import POWER, SIGNIFICANT
from stages.lib.page import (
    charts,
    classes,
    cost,
    data,
    explained,
    failures,
    findings,
    grouped,
    heads,
    threshold,
    verdict,
)
from stages.lib.page.cautions import advised_against, higher_on_test, rank
from stages.lib.page.render import percent
from stages.lib.page.style import mark_of
from stages.lib.page.thumbnails import embedded

_SHEET = 420  # pixels: side of a sheet of variants


def of_models(
    results: Results,
    models: Path,
    evaluations: Path,
    dataset: Path,
    images: pd.DataFrame,
    answers: Mapping[str, pd.DataFrame],
) -> dict[str, Any]:
    """What is shown of the models.

    Args:
        results: of all models.
        models: a directory per model.
        evaluations: likewise, as `evaluate` writes them.
        dataset: what the paths of images start from.
        images: the manifest.
        answers: by model, what its bundle says of the test images, where that is not what was measured.
    """
    every = results.evaluations
    return {
        "results": results,
        "chosen": results.recommended,
        "marks": {one.name: mark_of(one.name) for one in every},
        "titles": {one.name: title_of(one.name) for one in every},
        "called": called,
        "advised_against": advised_against(results),
        "rank": rank(results),
        "why": verdict.why(results, called),
        "not_highest": higher_on_test(results, called),
        "verdict": verdict.verdict(results, called),
        "rounded": verdict.rounded,
        "pairs": {(pair.one, pair.other): pair for one in results.comparisons for pair in (one, one.swapped())},
        "significant": SIGNIFICANT,
        "power": percent(POWER, 0),
        "charts": _charts(results),
        "costs": cost.costs(results, models),
        "failures": failures.failures(results.recommended, dataset),
        "thresholds": {one.name: threshold.thresholds(one, answers.get(one.name)) for one in every},
        "confusions": {one.name: classes.confusion(one) for one in every},
        "per_class": {one.name: classes.per_class(one) for one in every},
        "explanations": {
            one.name: explained.explanations(one, evaluations / one.name, dataset, images) for one in every
        },
        "sheets": _sheets(results, models),
        "heads": {one.name: heads.sentence(one.summary) for one in every},
        "networks": {one.name: (models / one.name / "summary.txt").read_text(encoding="utf-8") for one in every},
    }


def of_data(results: Results, images: pd.DataFrame, dataset: Path, split: Path, rejected: Path) -> dict[str, Any]:
    """What is shown of the images.

    Args:
        results: of all models.
        images: the manifest.
        dataset: what the paths of images start from.
        split: how many there are of each class, and how many were left out.
        rejected: files that could not be decoded.
    """
    counts = results.labels.value_counts()
    size = max(one.summary["image_size"] for one in results.evaluations)
    return {
        "test_classes": {
            "largest": counts.idxmax(),
            "most": int(counts.max()),
            "smallest": counts.idxmin(),
            "least": int(counts.min()),
        },
        "balance": data.balance(images),
        "sizes": data.sizes(images, size),
        "image_size": size,
        "split": json.loads(split.read_text(encoding="utf-8")),
        "extremes": findings.extremes(images, dataset),
        "rejected": data.listed(rejected, data.REJECTED),
        "validated_in_groups": grouped.any_together(images[images["subset"] == "validation"]),
    }


def _charts(results: Results) -> dict[str, Any]:
    every = results.evaluations
    trained = [one for one in every if len(one.curves)]
    return {
        "accuracy": charts.accuracy_chart(results),
        "roc": charts.roc_chart(results),
        "corner": charts.roc_corner(results),
        "loss": {one.name: charts.curves_chart(one, "loss") for one in trained},
        "accuracies": {one.name: charts.curves_chart(one, "accuracy") for one in trained},
        "calibration": {one.name: charts.calibration_chart(one) for one in every},
    }


def _sheets(results: Results, models: Path) -> list[tuple[list[str], str]]:
    """Sheets of variants, each once, with the models that were trained on such variants."""
    sheets: dict[str, list[str]] = {}
    for one in results.evaluations:
        file = models / one.name / "augmented.png"
        if file.is_file():
            sheets.setdefault(embedded(file, _SHEET), []).append(one.name)
    return [(names, address) for address, names in sheets.items()]
