"""Limits hold for new images, and too few images give none; each choice says why there is none."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from smallset.inference import decisions as deciding
from stages.lib.core.decision_sections import DecisionsParams
from stages.lib.core.errors import UserError
from stages.lib.deciding import choosing, limits, measured

ASKED = {
    "enabled": True,
    "criterion": "accuracy",
    "of_class": None,
    "recall": 0.9,
    "costs": {},
    "accuracy": 0.95,
    "keep": 0.95,
}


def params(**changes: object) -> DecisionsParams:
    return DecisionsParams.model_validate(ASKED | changes)


def calibrated(rng: np.random.Generator, count: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that mean what they say, and labels."""
    probabilities = rng.dirichlet(np.full(classes, 0.2), count)
    return probabilities, np.array([rng.choice(classes, p=row) for row in probabilities])


def validated(probabilities: np.ndarray, labels: np.ndarray, far: np.ndarray | None, done: bool = True):
    names = [f"class {place}" for place in range(probabilities.shape[1])]
    return choosing.Validated(names, labels, probabilities, far, done)


@pytest.mark.parametrize(("count", "accuracy", "least"), [(100, 0.9, 0.895), (250, 0.95, 0.945), (19, 0.9, 0.84)])
def test_answers_reach_the_accuracy_that_is_asked_for_on_new_images(count: int, accuracy: float, least: float) -> None:
    """The lowest confidence of many flatters itself, the more the fewer images there are."""
    rng, right_ones, answered = np.random.default_rng(0), 0, 0
    for _ in range(300):
        confidence = rng.uniform(0.5, 1, 1000)
        right = rng.random(1000) < confidence
        limit, _ = limits.unsure_below(confidence[:count], right[:count], accuracy)
        sure = confidence >= limit if limit is not None else np.zeros(1000, bool)
        right_ones, answered = right_ones + right[count:][sure[count:]].sum(), answered + sure[count:].sum()
    assert least < right_ones / answered < least + 0.03


def test_a_share_of_new_images_like_these_is_kept() -> None:
    rng, kept = np.random.default_rng(0), []
    for _ in range(200):
        distances_of = rng.gamma(3, size=1100)
        limit, _ = limits.unknown_above(distances_of[:100], 0.95)
        kept.append((distances_of[100:] <= limit).mean())
    assert 0.945 < np.mean(kept) < 0.965


@pytest.mark.parametrize(("right", "count"), [(True, 18), (False, 100), (True, 0)])
def test_too_few_images_or_only_wrong_ones_give_no_limit(right: bool, count: int) -> None:
    limit, reason = limits.unsure_below(np.linspace(0.5, 1, count), np.full(count, right), 0.95)
    assert limit is None
    assert ("from 19 validation images on" if right else "not right often enough") in reason


def test_images_that_are_all_right_are_all_answered() -> None:
    assert limits.unsure_below(np.linspace(0.5, 1, 19), np.ones(19, bool), 0.95) == (0.0, None)


def test_images_of_one_confidence_are_answered_together() -> None:
    right = np.array([True] * 60 + [False] * 40)
    limit, reason = limits.unsure_below(np.full(100, 0.8), right, 0.9)
    assert (limit, "not right often enough" in reason) == (None, True)


def test_the_same_image_on_another_machine_is_on_the_same_side() -> None:
    """A limit that lay at an image would call it unsure where a probability is rounded otherwise, and all like it."""
    confidence, right = np.repeat([1.0, 0.9], [60, 40]), np.repeat([True, False], [60, 40])
    limit, _ = limits.unsure_below(confidence, right, 0.95)
    assert 0.9 < limit < 1 - 1e-5
    far, _ = limits.unknown_above(np.full(99, 2.0), 0.99)
    assert far > 2.001
    found, _ = limits.threshold_for_recall(np.append(np.full(19, 0.7), [0.6999999]), np.arange(20) < 19, 0.95)
    assert 0.6999999 < found < 0.7
    best, _ = limits.threshold_for_f1(np.array([0.9, 0.7, 0.7, 0.5, 0.1]), np.arange(5) < 3)
    assert best == pytest.approx(0.6)


def test_features_that_are_no_numbers_give_no_limit() -> None:
    limit, reason = limits.unknown_above(np.full(99, np.nan), 0.99)
    assert (limit, "no numbers" in reason) == (None, True)


def test_f1_of_many_images_is_the_best_there_is() -> None:
    rng = np.random.default_rng(0)
    probabilities, own = rng.random(60).round(1), rng.random(60) < 0.3

    def f1(least: float) -> float:
        predicted = probabilities >= least
        return 2 * (predicted & own).sum() / (predicted.sum() + own.sum())

    threshold, _ = limits.threshold_for_f1(probabilities, own)
    assert f1(threshold) == max(map(f1, probabilities))
    many = np.linspace(0, 1, 200_000)
    assert limits.threshold_for_f1(many, many > 0.25)[0] == pytest.approx(0.25, abs=1e-5)
    assert "needs validation images of it and of others" in limits.threshold_for_f1(many, many > 2)[1]


def test_unknown_needs_enough_images() -> None:
    assert limits.unknown_above(np.arange(18.0), 0.99)[0] is None
    assert "99 validation images, found 18" in limits.unknown_above(np.arange(18.0), 0.99)[1]
    assert limits.unknown_above(np.arange(18.0), 0.9)[1] is None
    # Fewer than it takes, and not too few: the largest distance, and a word on what that keeps.
    for count in (19, 98):
        limit, reason = limits.unknown_above(np.arange(float(count)), 0.99)
        assert count - 1 < limit < count
        assert f"{count} validation images show that {count / (count + 1):.3f}" in reason
    limit, reason = limits.unknown_above(np.arange(99.0), 0.99)
    assert reason is None
    assert 98 < limit < 98.2


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
@pytest.mark.parametrize("each", [2, 20])
@pytest.mark.parametrize("kind", ["as said", "right", "wrong"])
def test_any_number_of_classes_and_images(classes: int, each: int, kind: str) -> None:
    rng = np.random.default_rng(classes)
    probabilities, labels = calibrated(rng, classes * each, classes)
    if kind != "as said":
        labels = (probabilities.argmax(axis=1) + (kind == "wrong")) % classes
    far = rng.gamma(3, size=len(labels))
    found = choosing.chosen(validated(probabilities, labels, far, done=False), params(), 0)
    assert (found.unsure_below == deciding.ALWAYS) == any("called unsure" in one for one in found.reasons)
    assert (found.unknown_above is None) == any("called unknown" in one for one in found.reasons)
    assert deciding.read({**found.as_dict(), "reasons": list(found.reasons)}, classes) == found
    figures = measured.figures(found, labels, probabilities, far, {"noise": (probabilities[:3], far[:3] + 100)})
    assert figures["sure"]["share"] + figures["unsure"] + figures["unknown"] == pytest.approx(1)
    assert figures["foreign"][0]["auroc"] == 1
    if kind == "wrong":
        assert found.unsure_below == deciding.ALWAYS
        assert figures["sure"]["share"] == 0
        assert found.temperature >= 1


def test_too_sure_a_model_gets_a_temperature_and_a_calibrated_one_none() -> None:
    probabilities, labels = calibrated(np.random.default_rng(1), 400, 3)
    sharp = choosing.tempered(probabilities, 1 / 3)
    found = choosing.chosen(validated(sharp, labels, None, done=False), params(), 0)
    assert 2 < found.temperature < 4.5
    after = measured.figures(found, labels, sharp, None, {})["calibration"]
    assert after["after"]["log_loss"] < after["before"]["log_loss"]
    assert choosing.chosen(validated(sharp, labels, None), params(), 0).temperature == 1
    assert "no pooled features" in found.reasons[-1]


def test_recall_f1_and_costs_move_the_class_that_they_are_of() -> None:
    probabilities, labels = calibrated(np.random.default_rng(2), 600, 3)
    one, own = validated(probabilities, labels, None), labels == 1
    plain = choosing.chosen(one, params(), 0).predicted(probabilities)
    asked = {"of_class": "class 1", "keep": None}
    found = choosing.chosen(one, params(criterion="recall", recall=0.97, **asked), 0).predicted(probabilities)
    assert (found[own] == 1).mean() >= 0.97 > (plain[own] == 1).mean()

    def f1(predicted: np.ndarray) -> float:
        return 2 * ((predicted == 1) & own).sum() / ((predicted == 1).sum() + own.sum())

    best = choosing.chosen(one, params(criterion="f1", **asked), 0).predicted(probabilities)
    assert f1(best) >= f1(plain)
    costly = params(criterion="cost", costs={"class 1": {"class 0": 9.0, "class 2": 9.0}})
    dear = choosing.chosen(one, costly, 0).predicted(probabilities)
    paid = np.where(own, 9, 1)
    assert (paid * (dear != labels)).sum() < (paid * (plain != labels)).sum()


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ({}, None),
        ({"criterion": "recall", "of_class": "class 1"}, {"recall", "precision", "f1"}),
        ({"criterion": "f1", "of_class": "class 1"}, {"recall", "precision", "f1"}),
        ({"criterion": "cost", "costs": {"class 1": {"class 0": 9.0}}}, {"cost", "accuracy"}),
    ],
)
def test_what_a_rule_is_for_is_measured_beside_the_likeliest_class(changes, rows: set[str] | None) -> None:
    probabilities, labels = calibrated(np.random.default_rng(3), 500, 3)
    found = choosing.chosen(validated(probabilities, labels, None), params(**changes), 0)
    rule = measured.figures(found, labels, probabilities, None, {})["rule"]
    assert (rule and set(rule)) == rows
    if rows:
        better, worse = ("likeliest", "rule") if "cost" in rule else ("rule", "likeliest")
        name = changes["criterion"]
        assert rule[name][better] >= rule[name][worse]


def test_what_is_said_of_each_test_image_is_what_the_figures_count() -> None:
    probabilities, labels = calibrated(np.random.default_rng(4), 300, 3)
    sharp, far = choosing.tempered(probabilities, 0.5), np.linspace(0, 3, 300)
    found = choosing.chosen(validated(sharp, labels, far, done=False), params(), 0)
    names = np.array(["class 0", "class 1", "class 2"])
    tested = pd.DataFrame({"path": [f"{place}.png" for place in range(300)], "label": names[labels]})
    table = measured.answers(found, tested, list(names), sharp, far)
    figures = measured.figures(found, labels, sharp, far, {})
    assert tuple(table.columns) == measured.COLUMNS
    assert (table["decision"] == "sure").mean() == figures["sure"]["share"]
    right = table["predicted"] == table["label"]
    assert right[table["decision"] == "sure"].mean() == pytest.approx(figures["sure"]["accuracy"])
    assert right.mean() == pytest.approx(figures["all"]["accuracy"])


@pytest.mark.parametrize("temperature", [1.5, 3.0])
def test_a_network_that_is_surer_than_its_table_can_say_is_not_taken_for_surer(temperature: float) -> None:
    """Of two classes the probability of the first is 1 minus the other: in float32 the surest ones are all 1."""
    logits = np.linspace(12, 30, 50)
    written = 1 / (1 + np.exp(-logits).astype(np.float32)).astype(np.float64)
    table = choosing.tempered(np.stack([1 - written, written], axis=1).round(7), temperature)[:, 1]
    assert (table <= 1 / (1 + np.exp(-logits / temperature)) + 1e-3).all()


def test_a_class_that_there_is_not_is_one_line() -> None:
    one = validated(*calibrated(np.random.default_rng(0), 30, 2), None)
    with pytest.raises(UserError, match=r"decisions\.of_class: expected one of the classes 'class 0', 'class 1'\. Rec"):
        choosing.chosen(one, params(criterion="f1", of_class="cow"), 0)
    with pytest.raises(UserError, match=r"decisions\.costs: expected one of"):
        choosing.chosen(one, params(criterion="cost", costs={"class 0": {"cow": 2.0}}), 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"criterion": "recall"}, "expected of_class, the class that recall is of"),
        ({"of_class": "tumour"}, "expected of_class: null with criterion: accuracy. Received: 'tumour'"),
        ({"costs": {"a": {"b": 2.0}}}, "expected costs: {} with criterion: accuracy"),
        ({"criterion": "cost"}, "expected costs with criterion: cost"),
        ({"criterion": "cost", "costs": {"a": {"a": 2.0}}}, "'a' predicted for 'a' is none"),
        ({"criterion": "cost", "costs": {"a": {"b": -1.0}}}, "greater than or equal to 0"),
        ({"criterion": "cost", "costs": {"a": {"b": float("nan")}}}, "finite number"),
        ({"criterion": "cost", "costs": {"a": {"b": 1e12}}}, "less than or equal to 1000000000"),
        *(
            ({key: value}, "less than 1" if value else "greater than 0")
            for key in ("recall", "keep")
            for value in (0.0, 1.0)
        ),
    ],
)
def test_what_cannot_be_asked_for_is_refused(changes, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        params(**changes)
    assert reason in str(caught.value)
