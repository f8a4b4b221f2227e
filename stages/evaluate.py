"""One model on the test pictures: a prediction per picture, and the figures that follow from them."""

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from stages.lib import entry
from stages.lib.outputs import is_disabled, whole_directory
from stages.lib.params import Params
from stages.lib.startup import start_tensorflow

_EMPTY = {
    "predictions.csv": "path,label,predicted",
    "confusion.csv": "actual,predicted",
    "roc.csv": "false_positive_rate,true_positive_rate",
    "curves.csv": "epoch,loss,accuracy,val_loss,val_accuracy",
}


class EvaluateParams(Params):
    """Section `evaluate`.

    batch_size: pictures per forward pass.
    """

    batch_size: Annotated[int, Field(ge=1)]


def evaluate(dataset: Path, manifest: Path, model: Path, evaluation: Path, params: EvaluateParams) -> None:
    """Write predictions, metrics, confusion, ROC and training curves to the directory `evaluation`.

    A model that is turned off leaves files without rows.

    Raises:
        UserError: the model was trained on other classes, or a picture cannot be decoded.
    """
    if is_disabled(model):
        with whole_directory(evaluation) as partial:
            for name, header in _EMPTY.items():
                (partial / name).write_text(header + "\n", encoding="utf-8")
            (partial / "metrics.json").write_text("{}\n", encoding="utf-8")
        print(f"{model.name}: turned off, nothing to evaluate")
        return

    # TensorFlow takes seconds to import: a model that is turned off does without.
    start_tensorflow()
    from stages.lib import metrics, predictions
    from stages.lib.inference import probabilities
    from stages.lib.manifest import read_subset
    from stages.lib.saved_model import load

    test = read_subset(dataset, manifest, "test")
    network, classes = load(model / "model.keras")
    chances = probabilities(network, test.paths, params.batch_size)
    table = predictions.table(test.names, classes, chances)
    table.insert(1, "label", [classes[label] for label in test.labels])
    summary = json.loads((model / "summary.json").read_text(encoding="utf-8"))
    figures = _figures(test.labels, chances, summary)
    with whole_directory(evaluation) as partial:
        predictions.write(table, partial / "predictions.csv")
        (partial / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        confusion = table[["label", "predicted"]].rename(columns={"label": "actual"})
        confusion.to_csv(partial / "confusion.csv", index=False)
        metrics.roc(test.labels, chances).to_csv(partial / "roc.csv", index=False)
        shutil.copyfile(model / "history.csv", partial / "curves.csv")
    print(
        f"{model.name}: accuracy {figures['accuracy']:.4f} ({figures['accuracy_low']:.4f} to "
        f"{figures['accuracy_high']:.4f}) on {figures['pictures']} pictures"
    )


def _figures(labels: Any, chances: Any, summary: dict[str, Any]) -> dict[str, Any]:
    from stages.lib import metrics

    share = metrics.accuracy(chances.argmax(axis=1) == labels)
    return {
        "accuracy": share.value,
        "accuracy_low": share.low,
        "accuracy_high": share.high,
        "loss": metrics.log_loss(labels, chances),
        "roc_auc": metrics.roc_auc(labels, chances),
        "pictures": len(labels),
        "validation_accuracy": summary["val_accuracy"],
        "validation_loss": summary["val_loss"],
        "best_epoch": summary["best_epoch"],
        "parameters": summary["parameters"]["total"],
    }


if __name__ == "__main__":
    entry.run(evaluate)
