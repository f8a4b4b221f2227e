"""A bundle of a tiny model, written by the stage as it writes real ones."""

import json
from pathlib import Path

import keras

from smallset.images.resizing import STRETCH, Resizing
from stages.classifier import classifier
from stages.lib.core.params import CommonParams

FIGURES = {f"{name}{end}": 0.9 for name in ("accuracy", "balanced_accuracy") for end in ("", "_low", "_high")}
REPORT = {"recommended": "scratch", "headline": "accuracy", "images": 12, "verdict": "It is the best.", "cautions": []}


def write_inputs(
    folder: Path, model: keras.Model, classes: list[str], resizing: Resizing = STRETCH, precision: str = "float32"
) -> Path:
    """What the stage `classifier` reads, of one model; returns the folder."""
    from stages.lib.networks import saved_model

    place, evaluation = folder / "models" / "scratch", folder / "evaluation" / "scratch"
    place.mkdir(parents=True)
    evaluation.mkdir(parents=True)
    saved_model.save(model, place / "model.keras", classes, resizing)
    about = {"stage": "scratch", "precision": precision, "parameters": {"total": 1234}, "versions": {"keras": "3"}}
    (place / "summary.json").write_text(json.dumps(about))
    (evaluation / "figures.json").write_text(json.dumps(FIGURES))
    rows = "".join(f"{name},6,0.9,0.9,0.8,1.0,0.9\n" for name in classes)
    (evaluation / "per_class.csv").write_text("class,images,precision,recall,recall_low,recall_high,f1\n" + rows)
    (folder / "manifest.csv").write_text("path,subset\na,train\nb,train\nc,test\n")
    (folder / "summary.json").write_text(json.dumps(REPORT))
    return folder


def run(folder: Path, common: CommonParams) -> Path:
    """The stage on `write_inputs`; returns the bundle."""
    output = folder / "models" / "classifier"
    paths = (folder / name for name in ("summary.json", "models", "manifest.csv", "evaluation"))
    classifier(*paths, output, common)
    return output
