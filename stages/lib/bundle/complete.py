"""A copied model completed to a bundle: what `smallset.load` needs, and proof that it gives what Keras gives."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from safety.checksums import checksum
from smallset.inference import bundle
from smallset.inference.classifier import Classifier
from smallset.inference.decisions import Decisions
from smallset.inference.quiet import quiet
from smallset.outputs import all_classes
from stages.lib.bundle import card, described, golden, litert
from stages.lib.core.errors import UserError
from stages.lib.deciding.distances import Distance
from stages.lib.deciding.networks import with_distance
from stages.lib.networks import saved_model
from stages.lib.networks.precision import rebuilt


def complete(
    directory: Path,
    manifest: Path,
    evaluation: Path,
    report: dict[str, Any],
    decided: Decisions | None = None,
    distance: Distance | None = None,
) -> str | None:
    """Write model.tflite, classifier.json, the golden examples and README.md beside a model.

    A model that cannot be converted, or that gives other probabilities once it is, leaves a bundle without model.tflite
    that says why: Keras can still run it.

    Args:
        directory: with model.keras and summary.json, as a model's stage leaves them.
        manifest: table of the images, from the stage `split`.
        evaluation: directory of the stage `evaluate` with the figures of this model.
        report: json of the stage `report`.
        decided: when nothing is said of an image; None: always something is.
        distance: to the training images, which `model.tflite` then gives too; None: it does not.

    Returns:
        Why there is no model.tflite; None where there is one.
    """
    keras.utils.clear_session()  # names of layers, which a converted model holds, count from the start
    trained, classes = saved_model.load(directory / "model.keras")
    about = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    exact = rebuilt(trained, "float32") if about["precision"] != "float32" else trained
    whole = exact if distance is None else with_distance(exact, distance)
    description = replace(
        described.of_model(trained, classes, directory / "model.keras", about),
        data=checksum(manifest),
        decisions=decided,
        gives_distance=distance is not None,
    )
    reason = litert.to_litert(whole, directory / bundle.MODEL)
    if reason is None:
        _write(directory, replace(description, model_sha256=checksum(directory / bundle.MODEL)), whole)
        reason = _difference(directory)
    if reason is not None:
        (directory / bundle.MODEL).unlink(missing_ok=True)
        _write(directory, _of_keras_alone(description, reason), exact)
    card.write(directory, bundle.read(directory), about, manifest, evaluation, report)
    return reason


def _write(directory: Path, description: bundle.Description, model: keras.Model) -> None:
    """Write classifier.json, and the golden examples by what the layers give one by one, which nothing joins wrong."""

    def judge(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        outputs, distances = model(pixels.astype(np.float32), training=False).numpy().astype(np.float64), None
        if description.gives_distance:
            outputs, distances = outputs[:, :-1], outputs[:, -1]
        return all_classes(outputs), distances

    bundle.write(description, directory)
    golden.write(directory / bundle.GOLDEN, description, Classifier(directory).read, judge)


def _of_keras_alone(description: bundle.Description, reason: str) -> bundle.Description:
    """What is left where there is no model.tflite, which alone gives the distance."""
    decided = description.decisions
    if decided is not None and decided.unknown_above is not None:
        why = "no image is called unknown: without model.tflite there is no distance to the training images"
        decided = replace(decided, unknown_above=None, reasons=(*decided.reasons, why))
    return replace(description, reason=reason, decisions=decided, gives_distance=False)


def _difference(directory: Path) -> str | None:
    try:
        with quiet():
            Classifier(directory).verify()
    except UserError as error:
        return f"converted, it gives other probabilities: {str(error).removeprefix(f'{directory.absolute()}/')}"
    return None
