"""What is read of all models, and by which images one of them is chosen."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from stages.lib.comparison.evaluations import read_results
from tests.stages.report_inputs import write_inputs


def validated(folder: Path, rights: dict[str, np.ndarray], labels: np.ndarray, **figures: dict[str, float]) -> None:
    """Let models be right on these validation images, and have figures of their own."""
    other = np.where(labels == "cat", "dog", "cat")
    for name, right in rights.items():
        table = pd.DataFrame({"path": [f"{place}.png" for place in range(len(labels))], "label": labels})
        table = table.assign(predicted=np.where(right, labels, other))
        table.to_csv(folder / "evaluation" / name / "validation_predictions.csv", index=False)
        file = folder / "evaluation" / name / "figures.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | figures.get(name, {})))


def test_the_test_images_say_what_counts_and_the_validation_images_who_has_most_of_it(tmp_path: Path) -> None:
    folder = write_inputs(tmp_path, ["cat", "dog"], [9, 9], {"scratch": 0.5, "fine_tuned": 0.9})
    labels = np.repeat(["cat", "dog"], [30, 3])
    validated(folder, {"scratch": labels == "cat", "fine_tuned": np.arange(33) >= 6}, labels)
    found = read_results(folder / "models", folder / "evaluation")
    assert found.headline == "accuracy"
    assert (found.choice.best, found.choice.figures) == ("scratch", {"scratch": 30 / 33, "fine_tuned": 27 / 33})


def test_of_models_that_are_equal_on_the_validation_images_their_loss_there_says_which_is_the_best(
    tmp_path: Path,
) -> None:
    """That on the test images decides nothing."""
    folder = write_inputs(tmp_path, ["cat", "dog"], [9, 9], {"scratch": 0.5, "fine_tuned": 0.9})
    labels = np.repeat(["cat", "dog"], 20)
    rights = dict.fromkeys(("scratch", "fine_tuned"), np.arange(40) >= 4)
    losses = {
        "scratch": {"validation_loss": 0.2, "log_loss": 0.9},
        "fine_tuned": {"validation_loss": 0.3, "log_loss": 0.1},
    }
    validated(folder, rights, labels, **losses)
    assert read_results(folder / "models", folder / "evaluation").choice.best == "scratch"
