"""Runs to compare: tables of predictions that are wrong where they are told to be."""

import json
from collections.abc import Container
from pathlib import Path

import pandas as pd

CLASSES = ("cat", "dog")


def images(count: int = 100, classes: tuple[str, ...] = CLASSES) -> pd.DataFrame:
    labels = [classes[index % len(classes)] for index in range(count)]
    paths = [f"test/{label}/{index}.jpg" for index, label in enumerate(labels)]
    return pd.DataFrame({"path": paths, "sha256": [f"{7919 * index % 100003:064x}" for index in range(count)]}).assign(
        label=labels
    )


def predicted(table: pd.DataFrame, wrong: Container[int], classes: tuple[str, ...] = CLASSES) -> pd.DataFrame:
    """The table of a model that is wrong on these rows."""
    answers = [
        classes[(classes.index(label) + (place in wrong)) % len(classes)] if label in classes else classes[0]
        for place, label in enumerate(table["label"])
    ]
    return table.assign(predicted=answers, **{f"p_{name}": 0.5 for name in classes})


def write_run(folder: Path, models: dict[str, pd.DataFrame], recommended: str | None = "fine_tuned") -> Path:
    for name, table in models.items():
        (folder / "evaluation" / name).mkdir(parents=True)
        table.to_csv(folder / "evaluation" / name / "predictions.csv", index=False)
    if recommended:
        (folder / "report").mkdir()
        (folder / "report" / "summary.json").write_text(json.dumps({"recommended": recommended}))
    return folder
