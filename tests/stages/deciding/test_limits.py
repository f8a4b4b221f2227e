"""Limits hold for new images, and too few images give none; each choice says why there is none."""

import numpy as np
import pytest

from smallset.inference import decisions as deciding
from smallset.inference.decisions import Decisions
from stages.lib.core.decision_sections import DecisionsParams
from stages.lib.core.errors import UserError
from stages.lib.deciding import choosing, distances, limits, measured

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


def test_answers_reach_the_accuracy_that_is_asked_for_on_new_images() -> None:
    rng, found = np.random.default_rng(0), []
    for _ in range(100):
        confidence = rng.uniform(0.5, 1, 1200)
        right = rng.random(1200) < confidence
        limit, reason = limits.unsure_below(confidence[:200], right[:200], 0.9)
        assert reason is None
        found.append(right[200:][confidence[200:] >= limit].mean())
    assert np.mean(found) > 0.895


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


def test_unknown_needs_enough_images() -> None:
    assert limits.unknown_above(np.arange(98.0), 0.99)[0] is None
    assert "99 validation images, found 98" in limits.unknown_above(np.arange(98.0), 0.99)[1]
    assert limits.unknown_above(np.arange(99.0), 0.99) == (98.0, None)


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
@pytest.mark.parametrize("each", [2, 30])
@pytest.mark.parametrize("kind", ["as said", "right", "wrong"])
def test_any_number_of_classes_and_images(classes: int, each: int, kind: str) -> None:
    rng = np.random.default_rng(classes)
    probabilities, labels = calibrated(rng, classes * each, classes)
    if kind != "as said":
        labels = (probabilities.argmax(axis=1) + (kind == "wrong")) % classes
    far = rng.gamma(3, size=len(labels))
    found = choosing.chosen(validated(probabilities, labels, far, done=False), params(), 0)
    assert (found.unsure_below is None) == any("called unsure" in one for one in found.reasons)
    assert (found.unknown_above is None) == any("called unknown" in one for one in found.reasons)
    assert deciding.read({**found.as_dict(), "reasons": list(found.reasons)}, classes) == found
    figures = measured.figures(found, labels, probabilities, far, {"noise": (probabilities[:3], far[:3] + 100)})
    assert figures["sure"]["share"] + figures["unsure"] + figures["unknown"] == pytest.approx(1)
    assert figures["foreign"][0]["auroc"] == 1
    if kind == "wrong":
        assert found.unsure_below is None
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


def test_a_class_that_there_is_not_is_one_line() -> None:
    one = validated(*calibrated(np.random.default_rng(0), 30, 2), None)
    with pytest.raises(UserError, match=r"decisions\.of_class: expected one of the classes 'class 0', 'class 1'\. Rec"):
        choosing.chosen(one, params(criterion="f1", of_class="cow"), 0)
    with pytest.raises(UserError, match=r"decisions\.costs: expected one of"):
        choosing.chosen(one, params(criterion="cost", costs={"class 0": {"cow": 2.0}}), 0)
    with pytest.raises(ValueError, match="expected of_class"):
        params(criterion="recall")


def test_an_image_whose_distance_is_no_number_is_unknown() -> None:
    rule = Decisions(unsure_below=0.8, unknown_above=2.0)
    likely = np.array([[0.9, 0.1], [0.7, 0.3], [0.7, 0.3], [0.9, 0.1]])
    assert rule.decided(likely, np.array([2.0, 1, 3, np.nan])) == ["sure", "unsure", "unknown", "unknown"]
    assert rule.decided(likely) == ["sure", "unsure", "unsure", "sure"]


@pytest.mark.parametrize(
    ("key", "value"), [("temperature", 0), ("of_class", 2), ("costs", [[0, 1]]), ("reasons", None)]
)
def test_damaged_decisions_are_refused(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^decisions\.{key}: "):
        deciding.read(Decisions().as_dict() | {"reasons": [], key: value}, 2)


@pytest.mark.parametrize("count", [1, 4, 1500])
def test_a_distance_tells_far_from_near_and_reads_back(count: int, tmp_path) -> None:
    rng = np.random.default_rng(0)
    known = rng.normal(3, 1, (count, 6)).astype(np.float32)
    distance = distances.fitted(known, 0)
    assert distance.of(known[:1])[0] < distance.of(known[:1] + 50)[0]
    distances.write(distance, tmp_path / "a.npz")
    distances.write(distance, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    np.testing.assert_array_equal(distances.read(tmp_path / "a.npz").of(known), distance.of(known))
