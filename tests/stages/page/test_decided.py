"""What the report says of the answers that the bundle gives by its rule."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from smallset.inference.decisions import Decisions
from stages.lib.core.outputs import write_csv, write_json
from stages.lib.deciding import measured
from stages.lib.inference import predictions
from tests.stages.report_inputs import run_report, write_inputs


def decide(folder: Path, decisions: Decisions, far: np.ndarray | None = None) -> pd.DataFrame:
    """What the stage `decisions` leaves of the recommended model, and the answers.

    Args:
        far: distances of images of something else; of the test images it is 1.
    """
    tested = predictions.read(folder / "evaluation" / "fine_tuned" / "predictions.csv")
    classes, found = predictions.classes_of(tested), predictions.probabilities_of(tested)
    labels = tested["label"].map(classes.index).to_numpy()
    place = folder / "models" / "decisions"
    near = None if far is None else np.ones(len(tested))
    foreign = {} if far is None else {"noise": (found[: len(far)], far), "screens": (found[:2], np.ones(2))}
    answers = measured.answers(decisions, tested, classes, found, near)
    figures = measured.figures(decisions, labels, found, near, foreign)
    write_json({"model": "fine_tuned"} | decisions.as_dict(), place / "decisions.json")
    write_json({"model": "fine_tuned", "validation_images": 30} | figures, place / "figures.json")
    write_csv(answers, place / "answers.csv")
    return answers


def summary_of(folder: Path) -> dict:
    return json.loads((folder / "report" / "summary.json").read_text())


def test_where_a_rule_names_the_class_the_report_says_how_often_that_is_right(tmp_path: Path) -> None:
    folder = write_inputs(tmp_path, ["cat", "dog"], [20, 20], {"fine_tuned": 0.9})
    answers = decide(folder, Decisions("recall", of_class=1, threshold=0.01))
    right = (answers["label"] == answers["predicted"]).mean()
    assert right < summary_of_report(folder)["accuracy"]
    caution = next(text for text in summary_of(folder)["cautions"] if "decisions.criterion: recall of dog" in text)
    assert f"its accuracy on the test images is {100 * right:.1f} %" in caution
    assert "of the likeliest class" in caution
    page = (folder / "report" / "report.html").read_text()
    assert f"It is wrong on about {100 * (1 - right):.1f}\u00a0% of such images" in page


def test_of_imbalanced_images_it_is_the_balanced_accuracy_of_the_rule(tmp_path: Path) -> None:
    folder = write_inputs(tmp_path, ["cat", "dog"], [36, 6], {"fine_tuned": 0.9})
    costs = ((0.0, 1.0), (9.0, 0.0))
    answers = decide(folder, Decisions("cost", costs=costs))
    right = (answers["label"] == answers["predicted"]).groupby(answers["label"]).mean().mean()
    told = " ".join(summary_of_report(folder)["cautions"])
    assert f"its balanced accuracy on the test images is {100 * right:.1f} %" in told


def test_without_a_rule_nothing_is_said_of_one(tmp_path: Path) -> None:
    folder = write_inputs(tmp_path, ["cat", "dog"], [20, 20], {"fine_tuned": 0.9})
    decide(folder, Decisions())
    assert not any("decisions.criterion" in text for text in summary_of_report(folder)["cautions"])


def test_the_page_says_how_many_strangers_were_called_unknown(tmp_path: Path) -> None:
    """One of four: that is not most of them."""
    folder = write_inputs(tmp_path, ["cat", "dog"], [20, 20], {"fine_tuned": 0.9})
    decide(folder, Decisions(unknown_above=2.0), np.array([1.0, 3.0]))
    page = run_report(folder)
    assert 'something else that were tried, <a href="#unsure-and-unknown">25.0\u00a0%</a> were called unknown' in page


def summary_of_report(folder: Path) -> dict:
    run_report(folder)
    return summary_of(folder)
