"""The model card of a bundle, in the form that model hubs read: README.md."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from safety.text import markdown
from smallset.inference.bundle import Description
from stages.lib.images.manifest import SUBSETS

_TEMPLATE = Path(__file__).with_name("templates") / "card.md"


def write(
    directory: Path,
    description: Description,
    about: dict[str, Any],
    manifest: Path,
    evaluation: Path,
    report: dict[str, Any],
) -> None:
    """Write README.md: what the model is for, the data, its figures with intervals, its limits.

    Args:
        directory: of the bundle.
        description: what `classifier.json` says.
        about: what the model's summary.json says.
        manifest: table of the images, from the stage `split`.
        evaluation: directory of the stage `evaluate` with the figures of the model.
        report: json of the stage `report`.
    """
    figures = json.loads((evaluation / "figures.json").read_text(encoding="utf-8"))
    counts, headline = Counter(row["subset"] for row in _rows(manifest)), report["headline"]
    data = ModelCardData(
        model_name=description.model,
        pipeline_tag="image-classification",
        library_name="smallset",
        tags=["smallset", "image-classification"],
        eval_results=[EvalResult("image-classification", "own", "held-out test images", headline, figures[headline])],
    )
    card = ModelCard.from_template(
        data,
        template_path=str(_TEMPLATE),
        about=description,
        classes=[markdown(name) for name in description.classes],
        counts={name: counts[name] for name in SUBSETS if name in counts},
        images=report["images"],
        figures=[_figure(name, figures) for name in dict.fromkeys((headline, "accuracy", "balanced_accuracy"))],
        per_class=[
            (markdown(row["class"]), int(row["images"]), *_recall(row)) for row in _rows(evaluation / "per_class.csv")
        ],
        verdict=markdown(report["verdict"]),
        advised_against=report["advice"] != "use",
        cautions=[markdown(caution) for caution in report["cautions"]],
        parameters=about["parameters"]["total"],
        versions=about["versions"],
        refit=about.get("refit"),
        decisions=description.decisions,
        deciding=[markdown(reason) for reason in description.decisions.reasons] if description.decisions else [],
        reason=None if description.reason is None else markdown(description.reason),
    )
    (directory / "README.md").write_text(card.content, encoding="utf-8")


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _figure(name: str, figures: dict[str, Any]) -> tuple[str, ...]:
    return (name.replace("_", " "), *(f"{figures[f'{name}{end}']:.3f}" for end in ("", "_low", "_high")))


def _recall(row: dict[str, str]) -> tuple[str, ...]:
    """Recall and its interval; a class without a test image has none."""
    return tuple(f"{float(row[key]):.3f}" if row[key] else "-" for key in ("recall", "recall_low", "recall_high"))
