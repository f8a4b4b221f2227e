"""One page that says which model to use, how good it is, and what stands behind that."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.lib.comparison.evaluations import Results, read_results
from stages.lib.comparison.paired_accuracies import POWER, SIGNIFICANT
from stages.lib.core import entry, outputs
from stages.lib.core.model_sections import ClassifierParams
from stages.lib.core.outputs import atomic_file, write_json
from stages.lib.core.sections import ReportParams
from stages.lib.images.manifest import read_manifest
from stages.lib.page import backbones, charts, classes, data, explained, findings, heads, left_out, procedures, verdict
from stages.lib.page import cautions as report_cautions
from stages.lib.page.deployed import deployed
from stages.lib.page.errors import gallery
from stages.lib.page.provenance import provenance
from stages.lib.page.render import percent, render
from stages.lib.page.style import mark_of
from stages.lib.page.thumbnails import embedded

_SHEET = 420  # pixels: side of a sheet of variants


@dataclass(frozen=True)
class ReportPaths:
    """What the report is of, and the four files that it is.

    Attributes:
        archive: the raw images, as they came.
        dataset: `<subset>/<class>/<file>`.
        manifest: the table of these images.
        split: how many there are of each class, and how many were left out.
        rejected: files that could not be decoded.
        duplicates: copies and near copies.
        labels: images that are likely mislabelled.
        procedure: figures of the stage `cross_validation`.
        cautions: a list of sentences about the backbone, as the stage `backbone` writes it.
        backbones: a row per candidate for the backbone, as the stage `backbone` writes it.
        models: a directory per model.
        evaluations: a directory per model, as `evaluate` writes it.
        parameters: params.yaml.
        report: written: the page, one file that makes no request.
        summary: written: the headline.
        accuracy: written: model, accuracy, low, high.
        comparisons: written: a row per pair of models.
    """

    archive: Path
    dataset: Path
    manifest: Path
    split: Path
    rejected: Path
    duplicates: Path
    labels: Path
    procedure: Path
    cautions: Path
    backbones: Path
    models: Path
    evaluations: Path
    parameters: Path
    report: Path
    summary: Path
    accuracy: Path
    comparisons: Path


def report(paths: ReportPaths, params: ReportParams, classifier: ClassifierParams) -> None:
    """Write the page, and what it states as figures to three more files.

    Args:
        paths: what is read and written.
        params: how many wrong images are shown.
        classifier: how the model that is deployed comes about.

    Raises:
        UserError: every model is turned off, or the models were evaluated on different images.
    """
    results = read_results(paths.models, paths.evaluations)
    suspects = findings.suspects(paths.labels, paths.dataset, results)
    procedure = procedures.procedure_report(paths.procedure, results, suspects.total)
    more = [
        *json.loads(paths.cautions.read_text(encoding="utf-8")),
        *left_out.cautions_of(paths.rejected),
        *procedures.cautions_of(procedure, results),
    ]
    more += outputs.reasons(paths.models)
    content = _of_models(results, paths) | _of_data(results, paths)
    counts = {str(name): int(count) for name, count in read_manifest(paths.manifest)["subset"].value_counts().items()}
    content |= {
        "procedure": procedure,
        "deployed": deployed(results, classifier.refit, counts),
        "cautions": report_cautions.cautions(results, more),
        "backbones": backbones.compared(paths.backbones),
        "errors": gallery(results, paths.dataset, params.worst),
        "copies": findings.copies(paths.duplicates, paths.archive),
        "suspects": suspects,
        "provenance": provenance(results, paths.models, paths.manifest, paths.parameters),
    }
    headline = verdict.summary(results, content["cautions"]) | procedures.sentences(procedure)
    headline["deployed"] = content["deployed"]
    _write(paths.report, render(content))
    write_json(headline, paths.summary)
    _write(paths.accuracy, verdict.accuracy_table(results).to_csv(index=False, float_format="%.7g"))
    _write(paths.comparisons, verdict.comparison_table(results).to_csv(index=False, float_format="%.7g"))
    print(f"use {headline['recommended']}: {headline['verdict']}\nwhy: {headline['why']}\n{headline['deployed']}")
    for sentence in headline["procedure"]:
        print(sentence)
    for caution in headline["cautions"]:
        print(f"caution: {caution}")
    print(f"report: {paths.report} ({paths.report.stat().st_size / 1e6:.1f} MB)")


def _write(file: Path, text: str) -> None:
    with atomic_file(file) as partial:
        partial.write_text(text, encoding="utf-8")


def _of_models(results: Results, paths: ReportPaths) -> dict[str, Any]:
    every = results.evaluations
    trained = [one for one in every if len(one.curves)]
    return {
        "results": results,
        "chosen": results.recommended,
        "marks": {one.name: mark_of(one.name) for one in every},
        "why": verdict.why(results),
        "verdict": verdict.verdict(results),
        "rounded": verdict.rounded,
        "pairs": {(pair.one, pair.other): pair for one in results.comparisons for pair in (one, one.swapped())},
        "significant": SIGNIFICANT,
        "power": percent(POWER, 0),
        "charts": {
            "accuracy": charts.accuracy_chart(results),
            "roc": charts.roc_chart(results),
            "corner": charts.roc_corner(results),
            "loss": {one.name: charts.curves_chart(one, "loss") for one in trained},
            "accuracies": {one.name: charts.curves_chart(one, "accuracy") for one in trained},
            "calibration": {one.name: charts.calibration_chart(one) for one in every},
        },
        "confusions": {one.name: classes.confusion(one) for one in every},
        "per_class": {one.name: classes.per_class(one) for one in every},
        "explanations": {
            one.name: explained.explanations(one, paths.evaluations / one.name, paths.dataset) for one in every
        },
        "sheets": _sheets(results, paths.models),
        "heads": {one.name: heads.sentence(one.summary) for one in every},
        "networks": {one.name: (paths.models / one.name / "summary.txt").read_text(encoding="utf-8") for one in every},
    }


def _of_data(results: Results, paths: ReportPaths) -> dict[str, Any]:
    images = read_manifest(paths.manifest)
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
        "split": json.loads(paths.split.read_text(encoding="utf-8")),
        "extremes": findings.extremes(images, paths.dataset),
        "rejected": data.listed(paths.rejected, data.REJECTED),
    }


def _sheets(results: Results, models: Path) -> list[tuple[list[str], str]]:
    """Sheets of variants, each once, with the models that were trained on such variants."""
    sheets: dict[str, list[str]] = {}
    for one in results.evaluations:
        file = models / one.name / "augmented.png"
        if file.is_file():
            sheets.setdefault(embedded(file, _SHEET), []).append(one.name)
    return [(names, address) for address, names in sheets.items()]


if __name__ == "__main__":
    entry.run(report)
