"""A bundle of a tiny model, written by the stage as it writes real ones."""

import json
from pathlib import Path

import keras

from smallset.images.resizing import STRETCH, Resizing
from stages.classifier import ClassifierPaths, classifier
from stages.lib.core.model_sections import ClassifierParams
from stages.lib.core.outputs import DISABLED
from stages.lib.core.params import CommonParams
from tests.stages.head_params import HEAD

FIGURES = {f"{name}{end}": 0.9 for name in ("accuracy", "balanced_accuracy") for end in ("", "_low", "_high")}
# Of a model's summary.json, what all models have in it.
ABOUT = {"precision": "float32", "parameters": {"total": 1234}, "versions": {"keras": "3"}}
REPORT = {
    "recommended": "scratch",
    "advice": "use",
    "headline": "accuracy",
    "images": 12,
    "verdict": "It is the best.",
    "cautions": [],
}


def write_inputs(
    folder: Path, model: keras.Model, classes: list[str], resizing: Resizing = STRETCH, precision: str = "float32"
) -> Path:
    """What the stage `classifier` reads, of one model; returns the folder."""
    from stages.lib.networks import saved_model

    place = folder / "models" / "scratch"
    place.mkdir(parents=True)
    saved_model.save(model, place / "model.keras", classes, resizing)
    (place / "summary.json").write_text(json.dumps(ABOUT | {"stage": "scratch", "precision": precision}))
    write_figures(folder / "evaluation" / "scratch", classes)
    (folder / "manifest.csv").write_text("path,subset\na,train\nb,train\nc,test\n")
    (folder / "summary.json").write_text(json.dumps(REPORT))
    no_decisions(folder / "decisions")
    return folder


def no_decisions(folder: Path) -> None:
    """What the stage `decisions` leaves where it is turned off."""
    folder.mkdir()
    (folder / DISABLED).write_text("off")


def write_figures(evaluation: Path, classes: list[str]) -> None:
    """What the stage `classifier` reads of `evaluate`."""
    evaluation.mkdir(parents=True)
    (evaluation / "figures.json").write_text(json.dumps(FIGURES))
    rows = "".join(f"{name},6,0.9,0.9,0.8,1.0,0.9\n" for name in classes)
    (evaluation / "per_class.csv").write_text("class,images,precision,recall,recall_low,recall_high,f1\n" + rows)


def run(folder: Path, common: CommonParams) -> Path:
    """The stage on `write_inputs`; returns the bundle."""
    output = folder / "models" / "classifier"
    unread = folder / "nothing"
    paths = ClassifierPaths(
        summary=folder / "summary.json",
        models=folder / "models",
        features=unread,
        manifest=folder / "manifest.csv",
        duplicates=unread,
        preset=unread,
        evaluations=folder / "evaluation",
        decisions=folder / "decisions",
        output=output,
    )
    classifier(paths, common, HEAD, ClassifierParams(refit="none"))
    return output
