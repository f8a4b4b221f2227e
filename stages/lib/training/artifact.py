"""What every trained model leaves in its directory."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from stages.lib.core.model_sections import FineTunedParams
from stages.lib.core.outputs import atomic_directory
from stages.lib.core.params import AugmentationParams, TrainingParams
from stages.lib.images.resizing import Resizing
from stages.lib.networks import saved_model
from stages.lib.networks.mirroring import mirrored
from stages.lib.training import devices
from stages.lib.training.augmentation import save_sheet
from stages.lib.training.history import kept_epoch
from stages.lib.training.live import live_directory
from stages.lib.training.run import TrainingRun

_WIDTH = 110  # characters of a line of summary.txt


def write(
    run: TrainingRun[TrainingParams],
    directory: Path,
    model: keras.Model,
    classes: Sequence[str],
    history: pd.DataFrame,
    precision: str,
    resizing: Resizing,
    augmented: tuple[np.ndarray, AugmentationParams] | None = None,
    *,
    head: Mapping[str, Any] | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
    trained: keras.Model | None = None,
) -> None:
    """Write model.keras, history.csv, summary.json, summary.txt, live/ and, if training images vary, augmented.png.

    A model that was fitted at once has a history without rows and no live/.

    The states of the training are removed: its result is safe.

    Args:
        run: the training.
        directory: where to write; it appears whole or not at all.
        model: takes images in [0, 255] and gives probabilities of `classes`; is saved with mirror averaging where the
            parameters ask for it.
        classes: names, in the order of the model's outputs.
        history: a row per epoch, as `loop.train` returns it.
        precision: in which the model computes, such as "float32".
        resizing: how the images got the size of the model.
        augmented: a training image uint8 (height, width, channels) and how it varies; None writes no augmented.png.
        head: for summary.json, how its head was chosen.
        tables: further tables by their names, without `.csv`.
        trained: the network that trained, where it is another one than `model`.
    """
    if run.params.mirror:
        model = mirrored(model)
    with atomic_directory(directory) as partial:
        # Without the optimizer's state, which nobody needs and which is twice as large as the weights.
        bare = keras.Model(model.input, model.output, name=run.stage)
        saved_model.save(bare, partial / "model.keras", classes, resizing)
        history.to_csv(partial / "history.csv", index=False)
        summary = _summary(run, model, classes, history, precision, resizing, trained or model)
        summary |= {"mirror": run.params.mirror} | ({"head": dict(head)} if head else {})
        (partial / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        (partial / "summary.txt").write_text(layers_of(model), encoding="utf-8")
        for name, table in (tables or {}).items():
            table.to_csv(partial / f"{name}.csv", index=False)
        if len(history):
            shutil.copytree(live_directory(run.checkpoints), partial / "live")
        if augmented is not None:
            image, augmentation = augmented
            save_sheet(image, augmentation, run.common.seed, partial / "augmented.png")
    run.checkpoints.remove()


def layers_of(model: keras.Model) -> str:
    """The layers of a model as Keras prints them, in lines of one width whatever the terminal is."""
    lines: list[str] = []
    before = os.environ.get("COLUMNS")
    # Keras takes the width of its table from us, and that of the page from here, or else from the terminal.
    os.environ["COLUMNS"] = str(_WIDTH)
    try:
        model.summary(line_length=_WIDTH, print_fn=lines.append, show_trainable=True)
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _summary(
    run: TrainingRun[TrainingParams],
    model: keras.Model,
    classes: Sequence[str],
    history: pd.DataFrame,
    precision: str,
    resizing: Resizing,
    trained: keras.Model,
) -> dict[str, Any]:
    image_size, color = saved_model.input_of(model)
    keep = run.params.keep if isinstance(run.params, FineTunedParams) else "best"
    best = history[history["epoch"] == kept_epoch(history, keep)].iloc[0] if len(history) else None
    trainable = sum(int(np.prod(weight.shape)) for weight in trained.trainable_weights)
    return {
        "stage": run.stage,
        "classes": list(classes),
        "image_size": image_size,
        "color": color,
        **resizing.as_dict(),
        "precision": precision,
        "devices": devices.count(),
        "versions": {library: version(library) for library in ("tensorflow", "keras", "keras-hub")},
        "parameters": {
            "total": model.count_params(),
            "trainable": trainable,
            "non_trainable": model.count_params() - trainable,
        },
        "trainable_tensors": len(trained.trainable_weights),
        "epochs": len(history),
        "kept": keep,
        "best_epoch": None if best is None else int(best["epoch"]),
        "val_loss": None if best is None else float(best["val_loss"]),
        "val_accuracy": None if best is None else float(best["val_accuracy"]),
    }
