"""What decisions are worth, counted by hand: on a few test images, and on a few of something else."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from smallset.inference.decisions import Decisions
from stages.lib.deciding import measured

LABELS = np.array([0, 0, 0, 1, 1])
# Of the second class; the rule takes it from 0.3 on.
SAID = np.array([0.1, 0.2, 0.35, 0.4, 0.9])
RULE = Decisions("recall", of_class=1, threshold=0.3, unsure_below=0.5, unknown_above=2.0)
FAR = np.array([1.0, 3.0, 1.0, 1.0, 1.0])


def pairs(second: np.ndarray) -> np.ndarray:
    return np.stack([1 - second, second], axis=1)


def colder(second: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities that become these when their logits are divided by a temperature."""
    odds = (second / (1 - second)) ** temperature
    return pairs(odds / (1 + odds))


def figures(decisions: Decisions = RULE, raw: np.ndarray | None = None, **foreign: Any) -> dict[str, Any]:
    return measured.figures(decisions, LABELS, pairs(SAID) if raw is None else raw, FAR, foreign)


def test_shares_and_accuracies_are_of_what_is_said() -> None:
    """The answers are 0, 0, 1, 1 and 1; the second is unknown, and the third and the fourth are unsure."""
    found = figures()
    assert (found["all"]["accuracy"], found["all"]["images"]) == (0.8, 5)
    assert (found["sure"]["accuracy"], found["sure"]["images"], found["sure"]["share"]) == (1, 2, 0.4)
    assert (found["unsure"], found["unknown"]) == (0.4, 0.2)


def test_the_curve_goes_from_the_surest_answer_to_all() -> None:
    """Their probabilities are 0.9, 0.8, 0.35, 0.4 and 0.9, and the third is wrong."""
    assert figures()["curve"] == [[0.2, 1], [0.4, 1], [0.6, 1], [0.8, 1], [1, 0.8]]
    wrong_is_surest = Decisions("recall", of_class=1, threshold=0.05)
    curve = measured.figures(wrong_is_surest, LABELS, pairs(np.array([0.97, 0.1, 0.2, 0.3, 0.9])), None, {})["curve"]
    assert curve == [[0.2, 0], [0.4, 0.5], [0.6, 0.666667], [0.8, 0.5], [1, 0.4]]


def test_a_rule_is_beside_the_likeliest_class_by_recall_precision_and_f1() -> None:
    """It finds both and one more; the likeliest class finds one of two, and no other."""
    assert figures()["rule"] == {
        "recall": {"rule": 1, "likeliest": 0.5},
        "precision": {"rule": pytest.approx(2 / 3), "likeliest": 1},
        "f1": {"rule": pytest.approx(0.8), "likeliest": pytest.approx(2 / 3)},
    }


def test_the_cost_of_an_error_is_that_of_the_class_it_is_an_error_about() -> None:
    """To miss the second class costs 3, to name it 1: the answers 0, 0, 1, 1 and 1 name it once too often."""
    found = figures(Decisions("cost", costs=((0.0, 1.0), (3.0, 0.0))))["rule"]
    assert found == {"cost": {"rule": 0.2, "likeliest": 0.6}, "accuracy": {"rule": 0.8, "likeliest": 0.8}}


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_images_of_something_else_are_judged_as_the_bundle_judges_them(temperature: float) -> None:
    """Of four one is unknown, two are unsure, and of the test images 95 % lie up to 2.6."""
    decisions = Decisions(RULE.criterion, RULE.of_class, RULE.threshold, None, temperature, 0.5, 2.7)
    strangers = colder(np.array([0.35, 0.4, 0.8, 0.9]), temperature)
    noise = strangers, np.array([2.0, 2.5, 2.55, 4.0])
    [found] = figures(decisions, colder(SAID, temperature), noise=noise)["foreign"]
    assert (found["kind"], found["images"]) == ("noise", 4)
    assert (found["unknown"], found["answered"], found["false_positive_rate"]) == (0.25, 0.25, 0.75)
    # Of 20 pairs 17 are in the right order: the test image at 3 lies beyond three of the four.
    assert found["auroc"] == pytest.approx(17 / 20)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_an_answer_comes_with_the_probability_of_its_own_class_after_the_temperature(temperature: float) -> None:
    decisions = Decisions(RULE.criterion, RULE.of_class, RULE.threshold, None, temperature, 0.5, 2.0)
    tested = pd.DataFrame({"path": list("vwxyz"), "label": np.array(["a", "b"])[LABELS]})
    table = measured.answers(decisions, tested, ["a", "b"], colder(SAID, temperature), FAR)
    assert table["predicted"].tolist() == ["a", "a", "b", "b", "b"]
    assert table["probability"].tolist() == pytest.approx([0.9, 0.8, 0.35, 0.4, 0.9])
    assert table["decision"].tolist() == ["sure", "unknown", "unsure", "unsure", "sure"]
    assert table["distance"].tolist() == FAR.tolist()
    before = figures(decisions, colder(SAID, temperature))
    assert (before["unsure"], before["unknown"]) == (0.4, 0.2)
