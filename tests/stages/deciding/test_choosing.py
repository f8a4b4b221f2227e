"""Rule and limits are of what the bundle will say: tempered probabilities, and the class that the rule takes."""

from dataclasses import replace

import numpy as np
import pytest

from stages.lib.core.decision_sections import DecisionsParams
from stages.lib.deciding import choosing, limits
from tests.stages.deciding.test_limits import calibrated, params, validated

RULES = [
    params(),
    params(criterion="recall", of_class="class 1", recall=0.8),
    params(criterion="f1", of_class="class 1"),
    params(criterion="cost", costs={"class 1": {"class 0": 4.0, "class 2": 4.0}}),
]


@pytest.mark.parametrize("asked", RULES, ids=lambda asked: asked.criterion)
def test_a_model_with_a_temperature_is_decided_on_as_one_that_says_the_same_without(asked: DecisionsParams) -> None:
    probabilities, labels = calibrated(np.random.default_rng(1), 400, 3)
    sharp = choosing.tempered(probabilities, 1 / 3)
    found = choosing.chosen(validated(sharp, labels, None, done=False), asked, 0)
    assert found.temperature > 2
    said = choosing.tempered(sharp, found.temperature)
    same = choosing.chosen(validated(said, labels, None), asked, 0)
    assert found == replace(same, temperature=found.temperature)


@pytest.mark.parametrize(
    "asked",
    [
        params(accuracy=0.85, criterion="recall", of_class="class 1", recall=0.97),
        params(accuracy=0.85, criterion="cost", costs={"class 1": {"class 0": 9.0, "class 2": 9.0}}),
    ],
    ids=lambda asked: asked.criterion,
)
def test_the_limit_for_unsure_is_of_the_class_that_the_rule_takes(asked: DecisionsParams) -> None:
    """The likeliest class is right more often, and surer: its limits are others."""
    probabilities, labels = calibrated(np.random.default_rng(2), 600, 3)
    found = choosing.chosen(validated(probabilities, labels, None), asked, 0)
    answers, confidence = found.predicted(probabilities), probabilities.max(axis=1)
    said = np.take_along_axis(probabilities, answers[:, np.newaxis], axis=1)[:, 0]
    limit, *others = (
        limits.unsure_below(sure, right, 0.85)[0]
        for sure, right in (
            (said, answers == labels),
            (confidence, answers == labels),
            (confidence, probabilities.argmax(axis=1) == labels),
        )
    )
    assert limit not in others, "else it does not matter whose limit is taken"
    assert found.unsure_below == limit
    sure = np.array(found.decided(probabilities)) == "sure"
    assert 0 < sure.sum() < 600
    assert (answers == labels)[sure].mean() >= 0.85
