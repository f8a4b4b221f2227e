"""One page that says which model to use, how good it is, what to do next, and what stands behind that."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from stages.lib.comparison.evaluations import Results, called, read_results
from stages.lib.core import entry, outputs
from stages.lib.core.model_sections import ClassifierParams
from stages.lib.core.outputs import atomic_file, write_json
from stages.lib.core.params_file import read_file
from stages.lib.core.sections import ReportParams
from stages.lib.images.manifest import read_manifest
from stages.lib.page import backbones, decided, findings, grouped, left_out, next_steps, procedures, verdict
from stages.lib.page.cautions import advised_against, higher_on_test
from stages.lib.page.cautions import cautions as cautions_of
from stages.lib.page.content import of_data, of_models
from stages.lib.page.deployed import deployed
from stages.lib.page.errors import gallery
from stages.lib.page.provenance import provenance
from stages.lib.page.render import render
from stages.lib.page.subject import subject


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
        decisions: directory of the stage `decisions`.
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
    decisions: Path
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
    results, parameters = read_results(paths.models, paths.evaluations), read_file(paths.parameters)
    images, suspects = read_manifest(paths.manifest), findings.suspects(paths.labels, paths.dataset, results)
    procedure = procedures.procedure_report(paths.procedure, results, suspects.total)
    limits = decided.decided(paths.decisions, results.recommended.name, results.recommended.classes)
    subsets = {str(name): int(count) for name, count in images["subset"].value_counts().items()}
    trained = subsets.get("train", 0)
    cautions = _cautions(results, procedure, limits, images, parameters, trained, paths)
    steps = _steps(results, procedure, suspects.total, images, parameters, trained)
    deploying = partial(deployed, results, classifier.refit, subsets, procedure is not None)
    answers = {} if limits is None else {results.recommended.name: limits.answers}
    content = (
        of_models(results, paths.models, paths.evaluations, paths.dataset, images, answers)
        | of_data(results, images, paths.dataset, paths.split, paths.rejected)
        | {"subject": subject(results.recommended.classes, len(images), parameters), "deployed": deploying(called)}
        | {"steps": steps, "procedure": procedure, "suspects": suspects}
        | {
            "cautions": [caution for caution in cautions if caution != higher_on_test(results)],
            "backbones": backbones.compared(paths.backbones),
            "decided": limits,
            "errors": gallery(results, paths.dataset, params.worst),
            "copies": findings.copies(paths.duplicates, paths.archive),
            "provenance": provenance(paths.manifest, parameters),
        }
    )
    advice = "do not use" if advised_against(results) else "use"
    headline = verdict.summary(results, advice, cautions) | procedures.sentences(procedure)
    headline |= {"deployed": deploying(), "next": next_steps.sentences(steps)}
    _write(paths.report, render(content))
    write_json(headline, paths.summary)
    _write(paths.accuracy, verdict.accuracy_table(results).to_csv(index=False, float_format="%.7g"))
    _write(paths.comparisons, verdict.comparison_table(results).to_csv(index=False, float_format="%.7g"))
    _tell(headline, paths.report)


def _cautions(
    results: Results,
    procedure: procedures.ProcedureReport | None,
    limits: decided.Decided | None,
    images: pd.DataFrame,
    parameters: dict[str, Any],
    trained: int,
    paths: ReportPaths,
) -> list[str]:
    more = [
        *decided.cautions_of(limits, results),
        *grouped.cautions_of(results, images, pd.read_csv(paths.duplicates, dtype=str, na_filter=False)),
        *grouped.series_cautions(json.loads(paths.split.read_text(encoding="utf-8"))),
        *json.loads(paths.cautions.read_text(encoding="utf-8")),
        *left_out.cautions_of(paths.rejected),
        *procedures.cautions_of(procedure, results),
        *outputs.reasons(paths.models),
    ]
    return cautions_of(results, more, parameters, trained)


def _steps(
    results: Results,
    procedure: procedures.ProcedureReport | None,
    suspects: int,
    images: pd.DataFrame,
    parameters: dict[str, Any],
    trained: int,
) -> list[next_steps.Step]:
    side = float(images[["width", "height"]].min(axis=1).median())
    figures = None if procedure is None else procedure.figures
    return next_steps.next_steps(next_steps.Known(results, figures, suspects, side, parameters, trained))


def _tell(headline: dict[str, Any], page: Path) -> None:
    print(f"{headline['advice']} {headline['recommended']}. {headline['verdict']}")
    print(f"why: {headline['why']}\n{headline['deployed']}")
    for sentence in headline["procedure"]:
        print(sentence)
    for caution in headline["cautions"]:
        print(f"caution: {caution}")
    for step in headline["next"][:1]:
        print(f"next: {step}")
    print(f"report: {page} ({page.stat().st_size / 1e6:.1f} MB)")


def _write(file: Path, text: str) -> None:
    with atomic_file(file) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    entry.run(report)
