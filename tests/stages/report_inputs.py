"""A small but complete set of what the stage `report` reads, without training anything.

Test files load it by its path: `runpy.run_path(Path(__file__).with_name("report_inputs.py"))`.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from smallset.inference.decisions import Decisions
from stages.lib.core.model_sections import ClassifierParams, Refit
from stages.lib.core.outputs import write_csv, write_json
from stages.lib.deciding import measured
from stages.lib.evaluation import scores
from stages.lib.inference import predictions
from stages.report import ReportParams, ReportPaths, report

# What users may call a class: each would break a page that takes names for HTML, mathematics or numbers.
NASTY = ['<b>&"x"', "$a$_é", "NA"]
# Chance with which each model is right; scratch_augmented is always turned off.
SKILLS = {"scratch": 0.5, "feature_extraction": 0.8, "fine_tuned": 0.95}
OFF = "scratch_augmented"
PARAMS = {"common": {"seed": 7}, "scratch": {"augmentation": {"flip": True}, "filters": [4, 8], "schedule": None}}
SUBSETS = {"train": 4, "validation": 2}


def write_inputs(folder: Path, classes: Sequence[str], tested: Sequence[int], skills: Mapping[str, float]) -> Path:
    """Write data, models, evaluations and params.yaml below a folder, and return it.

    Args:
        tested: test images of each class. skills: of each model.
    """
    rng = np.random.default_rng(0)
    manifest = _write_data(folder, classes, tested, rng)
    test = manifest[manifest["subset"] == "test"]
    labels = np.array([list(classes).index(name) for name in test["class"]])
    for name, skill in skills.items():
        _write_model(folder, name, classes, test, labels, skill, rng)
    (folder / "evaluation" / OFF).mkdir()
    (folder / "evaluation" / OFF / "figures.json").write_text("{}\n")
    for name in ("backbone_cautions", "backbones"):
        (folder / "models" / f"{name}.json").write_text("[]\n")
    (folder / "params.yaml").write_text(json.dumps(PARAMS))
    _write_decisions(folder, max(skills, key=skills.__getitem__), classes)
    return folder


def _write_decisions(folder: Path, name: str, classes: Sequence[str], seed: int = 0) -> None:
    """What the stage `decisions` leaves, of a model of chance."""
    rng = np.random.default_rng(seed)
    probabilities, far = rng.dirichlet(np.ones(len(classes)), 40), rng.gamma(9, size=40)
    chosen = Decisions(temperature=1.5, unsure_below=0.6, unknown_above=14.0, reasons=("no image is <b>said</b>",))
    foreign = {"textures & noise": (probabilities[:9], far[:9] + 9)}
    labels = rng.integers(len(classes), size=40)
    figures = measured.figures(chosen, labels, probabilities, far, foreign)
    tested = pd.DataFrame({"path": map(str, range(40)), "label": np.asarray(classes, object)[labels]})
    place = folder / "models" / "decisions"
    place.mkdir(parents=True)
    write_json({"model": name} | chosen.as_dict(), place / "decisions.json")
    answers = measured.answers(chosen, tested, list(classes), probabilities, far)
    write_csv(answers, place / "answers.csv")
    write_json({"model": name, "validation_images": 30} | figures, place / "figures.json")


def run_report(folder: Path, worst: int = 24, refit: Refit = "none") -> str:
    """Run the stage on what `write_inputs` wrote, and return the page."""
    names = (
        *("raw.zip", "dataset", "manifest.csv", "split.json", "rejected.csv", "duplicates.csv", "label_issues.csv"),
        "cross_validation.json",
    )
    outputs = ("report.html", "summary.json", "accuracy.csv", "comparisons.csv")
    paths = ReportPaths(
        *(folder / "data" / name for name in names),
        folder / "models" / "decisions",
        folder / "models" / "backbone_cautions.json",
        folder / "models" / "backbones.json",
        folder / "models",
        folder / "evaluation",
        folder / "params.yaml",
        *(folder / "report" / name for name in outputs),
    )
    report(paths, ReportParams(worst=worst), ClassifierParams(refit=refit))
    return (folder / "report" / "report.html").read_text(encoding="utf-8")


def _image(rng: np.random.Generator, width: int = 20) -> bytes:
    content = io.BytesIO()
    level = rng.integers(30, 220)
    pixels = np.clip(rng.normal(level, 25, (16, width, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def _write_data(folder: Path, classes: Sequence[str], tested: Sequence[int], rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for name, count in zip(classes, tested, strict=True):
        for subset, amount in (SUBSETS | {"test": count}).items():
            for index in range(amount):
                path, content = f"{subset}/{name}/{index}.png", _image(rng, 16 + 2 * (len(rows) % 5))
                file = folder / "data" / "dataset" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                with Image.open(file) as image:
                    brightness = round(float(np.asarray(image).mean() / 255), 6)
                row = {"path": path, "class": name, "subset": subset, "group": ""}
                row |= {"width": image.width, "height": image.height}
                checksum = hashlib.sha256(content).hexdigest()
                rest = {"bytes": len(content), "sha256": checksum, "brightness": brightness}
                rows.append(row | rest | {"sharpness": float(len(rows))})
    manifest = pd.DataFrame(rows).sort_values("path")
    data = folder / "data"
    manifest.to_csv(data / "manifest.csv", index=False)
    with zipfile.ZipFile(data / "raw.zip", "w") as archive:
        for row in rows:
            archive.write(data / "dataset" / row["path"], row["path"])
    counts = pd.crosstab(manifest["class"], manifest["subset"]).to_dict()
    rest = {"unused": 0, "rejected": 1, "exact_duplicates": 0, "near_duplicates": 5, "set_aside": 1}
    (data / "split.json").write_text(json.dumps(counts | rest))
    (data / "cross_validation.json").write_text("{}\n")
    (data / "rejected.csv").write_text('path,reason\n"<i>.jpg","<script>alert(1)</script>"\n')
    _write_findings(data, classes)
    return manifest


def _write_findings(data: Path, classes: Sequence[str]) -> None:
    """Two groups of copies, the second with contradicting classes; two likely mislabelled images."""
    one, other = classes[0], classes[1]
    copies = [
        (1, f"train/{one}/0.png", "0", one, "near", 0, "kept in train"),
        (1, f"train/{one}/1.png", "1", one, "near", 2, "set aside: a copy is in another subset"),
        (2, f"train/{one}/2.png", "2", one, "exact", 0, "set aside: its copies have different classes"),
        (2, f"train/{other}/2.png", "2", other, "exact", 0, "set aside: its copies have different classes"),
        (2, f"test/{other}/0.png", "2", other, "exact", 0, "set aside: its copies have different classes"),
    ]
    columns = ["group", "path", "sha256", "class", "kind", "distance", "action"]
    pd.DataFrame(copies, columns=columns).to_csv(data / "duplicates.csv", index=False)
    suspects = [
        (f"test/{one}/0.png", one, "test", other, 0.01, 0.98),
        (f"train/{other}/1.png", other, "train", one, 0.1, 0.85),
    ]
    columns = ["path", "class", "subset", "suggested", "p_class", "p_suggested"]
    pd.DataFrame(suspects, columns=columns).to_csv(data / "label_issues.csv", index=False)


def _write_model(
    folder: Path,
    name: str,
    classes: Sequence[str],
    test: pd.DataFrame,
    labels: np.ndarray,
    skill: float,
    rng: np.random.Generator,
) -> None:
    said = np.where(rng.random(len(labels)) < skill, labels, rng.integers(0, len(classes), len(labels)))
    raw = rng.random((len(labels), len(classes))) + 3 * np.eye(len(classes))[said] * rng.random((len(labels), 1)) + 0.01
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    evaluation = folder / "evaluation" / name
    (evaluation / "explanations").mkdir(parents=True)
    table = predictions.table(test["path"].tolist(), classes, probabilities)
    table.insert(1, "sha256", test["sha256"].tolist())
    table.insert(2, "label", [classes[label] for label in labels])
    predictions.write(table, evaluation / "predictions.csv")
    _validation(classes, skill).to_csv(evaluation / "validation_predictions.csv", index=False)
    for title, content in scores.tables_of(labels, probabilities, classes).items():
        content.to_csv(evaluation / f"{title}.csv", index=False)
    rest = {"validation_accuracy": skill, "validation_balanced_accuracy": skill, "validation_loss": 1 - skill}
    figures = scores.figures_of(labels, probabilities) | rest | {"best_epoch": 2, "parameters": 10}
    (evaluation / "figures.json").write_text(json.dumps(figures))
    curves = [(epoch, 1 / epoch, 0.5, 1.2 / epoch, 0.4) for epoch in (1, 2, 3)]
    columns = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    pd.DataFrame(curves, columns=columns).to_csv(evaluation / "curves.csv", index=False)
    explained = table.assign(confidence=probabilities.max(axis=1)).head(6).reset_index(names="file")
    explained["file"] = [f"{index}.jpg" for index in explained["file"]]
    for file in explained["file"]:
        (evaluation / "explanations" / file).write_bytes(_image(rng))
    columns = ["file", "path", "label", "predicted", "confidence"]
    explained[columns].to_csv(evaluation / "explanations" / "index.csv", index=False)
    _write_artifact(folder / "models" / name, classes, rng)


def _validation(classes: Sequence[str], skill: float) -> pd.DataFrame:
    """Predictions of 40 validation images of each class, the first so many of them right."""
    rows = [
        (f"validation/{name}/{index}.png", name, name if index < 40 * skill else classes[place - 1])
        for place, name in enumerate(classes)
        for index in range(40)
    ]
    return pd.DataFrame(rows, columns=["path", "label", "predicted"])


def _write_artifact(model: Path, classes: Sequence[str], rng: np.random.Generator) -> None:
    model.mkdir(parents=True)
    summary = {
        "classes": list(classes),
        "image_size": 18,
        "color": "rgb",
        "precision": "float32",
        "versions": {"keras": "3.0", "tensorflow": "2.0"},
        "parameters": {"total": 12345, "trainable": 10, "non_trainable": 12335},
        "epochs": 3,
        "best_epoch": 2,
    }
    (model / "summary.json").write_text(json.dumps(summary))
    (model / "summary.txt").write_text(f"layers of {model.name} <Dense>\n")
    (model / "model.keras").write_bytes(model.name.encode())
    (model / "augmented.png").write_bytes(_image(np.random.default_rng(1)))
