"""One model on the test images: a prediction per image, and the figures that follow from them."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safety.words import counted
from stages.lib.core import entry
from stages.lib.core.outputs import atomic_directory, is_disabled, write_csv, write_json
from stages.lib.core.params import CommonParams
from stages.lib.core.sections import EvaluateParams
from stages.lib.evaluation import columns
from stages.lib.inference import predictions
from stages.lib.networks.startup import start_tensorflow

if TYPE_CHECKING:
    import numpy as np

_TABLES = {
    "predictions.csv": predictions.COLUMNS,
    "validation_predictions.csv": predictions.COLUMNS,
    "confusion.csv": columns.CONFUSION,
    "roc.csv": columns.ROC,
    "curves.csv": columns.CURVES,
    "per_class.csv": columns.PER_CLASS,
    "calibration.csv": columns.CALIBRATION,
    "explanations/index.csv": columns.EXPLANATIONS,
}


def evaluate(
    dataset: Path,
    manifest: Path,
    model: Path,
    evaluation: Path,
    metrics: Path,
    common: CommonParams,
    params: EvaluateParams,
) -> None:
    """Write predictions, figures, their curves and explanations of one model on the test images.

    A model that is turned off leaves files without rows and without figures.

    Args:
        dataset: `<subset>/<class>/<file>`.
        manifest: the table of its images.
        model: directory with model.keras, history.csv and summary.json.
        evaluation: directory to write; predictions of the validation images, by which a model is chosen, lie in it too.
            figures.json: `scores.figures_of`, and how the model was trained.
        metrics: the few of these figures that a review decides by, `scores.METRICS`, as JSON.
        common: whether to be deterministic.
        params: how many images at once, and how many are explained.

    Raises:
        UserError: the model is of other classes, or an image cannot be decoded or has no finite probabilities.
    """
    if is_disabled(model):
        _write_nothing(evaluation, metrics)
        print(f"{model.name}: not trained, nothing to evaluate")
        return

    # TensorFlow takes seconds to import: a model that is turned off does without.
    start_tensorflow(common.deterministic)
    from stages.lib.evaluation import explanations, scores
    from stages.lib.images.manifest import read_subsets, require_classes
    from stages.lib.inference import forward, speed
    from stages.lib.networks.saved_model import load, resizing_of

    network, classes = load(model / "model.keras")
    resizing = resizing_of(model / "model.keras")
    test, validation = read_subsets(dataset, manifest, "test", "validation")
    require_classes(test, classes, model)
    seconds: list[float] = []
    probabilities = forward.probabilities(network, test.paths, params.batch_size, resizing=resizing, seconds=seconds)
    held_out = forward.probabilities(network, validation.paths, params.batch_size, resizing=resizing)
    table, validated = (
        predictions.measured(one.names, one.checksums, one.labels, classes, found)
        for one, found in ((test, probabilities), (validation, held_out))
    )
    figures = scores.figures_of(test.labels, probabilities)
    figures |= _of_validation(validation.labels, held_out) | _of_training(model)
    with atomic_directory(evaluation) as partial:
        predictions.write(table, partial / "predictions.csv")
        predictions.write(validated, partial / "validation_predictions.csv")
        write_json(figures, partial / "figures.json")
        for name, content in scores.tables_of(test.labels, probabilities, classes).items():
            write_csv(content, partial / f"{name}.csv")
        shutil.copyfile(model / "history.csv", partial / "curves.csv")
        explanations.write(partial / "explanations", network, dataset, table, params.explained, resizing)
    write_json({name: figures[name] for name in scores.METRICS}, metrics)
    if seconds:
        speed.keep(model.name, model / "model.keras", seconds[0])
    print(
        f"{model.name}: accuracy {figures['accuracy']:.4f} ({figures['accuracy_low']:.4f} to "
        f"{figures['accuracy_high']:.4f}) on {counted(len(test.labels), 'image')}"
    )


def _of_validation(labels: "np.ndarray", probabilities: "np.ndarray") -> dict[str, float]:
    from stages.lib.evaluation.metrics import balanced_accuracy, log_loss

    predicted = probabilities.argmax(axis=1)
    return {
        "validation_accuracy": float((predicted == labels).mean()),
        "validation_balanced_accuracy": balanced_accuracy(labels, predicted).value,
        "validation_loss": log_loss(labels, probabilities),
    }


def _of_training(model: Path) -> dict[str, Any]:
    summary = json.loads((model / "summary.json").read_text(encoding="utf-8"))
    return {
        "best_epoch": summary["best_epoch"],
        "parameters": summary["parameters"]["total"],
        "precision": summary["precision"],
    }


def _write_nothing(evaluation: Path, metrics: Path) -> None:
    with atomic_directory(evaluation) as partial:
        (partial / "explanations").mkdir()
        for name, header in _TABLES.items():
            (partial / name).write_text(",".join(header) + "\n", encoding="utf-8")
        write_json({}, partial / "figures.json")
    write_json({}, metrics)


if __name__ == "__main__":
    entry.run(evaluate)
