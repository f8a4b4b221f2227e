"""Confident learning: who is named, who is not, and that no copy speaks for its copy."""

import numpy as np
import pytest

from stages.lib import confident_learning
from stages.lib.arrays.parts import grouped_parts
from stages.lib.arrays.rows import Picked
from stages.lib.confident_learning import calibrated, large_enough, out_of_sample, suspicious


def clouds(classes: int, each: int, channels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around a centre of each class, far apart."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    centres = 10 * np.eye(classes, channels) if channels >= classes else 10 * np.arange(classes)[:, np.newaxis]
    return (centres[labels] + rng.normal(size=(len(labels), channels))).astype(np.float32), labels


def alone(labels: np.ndarray) -> np.ndarray:
    return np.arange(len(labels))


@pytest.mark.parametrize(("classes", "channels"), [(2, 1), (2, 30), (12, 40)])
def test_held_out_images_are_told_apart(classes: int, channels: int) -> None:
    vectors, labels = clouds(classes, 20, channels)
    probabilities = out_of_sample(vectors, labels, alone(labels), 4, 1)
    assert probabilities.shape == (len(labels), classes)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == labels).mean() > 0.97
    assert np.array_equal(probabilities, out_of_sample(vectors, labels, alone(labels), 4, 1))


def test_features_that_tell_nothing_make_no_one_confident() -> None:
    """Were an image judged by a model that has seen it, random labels would be learnt by heart."""
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(60, 200)).astype(np.float32), np.arange(60) % 2
    probabilities = out_of_sample(vectors, labels, alone(labels), 5, 1)
    assert 0.3 < (probabilities.argmax(axis=1) == labels).mean() < 0.7


def test_of_many_images_some_are_learnt_from_and_all_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confident_learning, "LEARNED", 80)
    monkeypatch.setattr(confident_learning, "_JUDGED", 50)
    monkeypatch.setattr(confident_learning, "_LEAST", 5)
    large, labels = clouds(3, 200, 10)
    few = np.repeat([0, 1, 2], [200, 200, 8])  # the third class hardly ever drawn by chance
    vectors, labels = np.concatenate([large[labels == name][: (few == name).sum()] for name in range(3)]), few
    learnt: list[int] = []
    fitted = confident_learning._fitted
    monkeypatch.setattr(confident_learning, "_fitted", lambda *given: learnt.append(len(given[1])) or fitted(*given))
    probabilities = out_of_sample(Picked([vectors], alone(labels)), labels, alone(labels), 4, 1)
    assert max(learnt) == 80
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == labels).mean() > 0.97
    assert (probabilities.argmax(axis=1) == labels)[labels == 2].mean() > 0.7


def test_a_copy_does_not_speak_for_its_copy() -> None:
    """Each image comes twice, and nothing but its copy gives its class away."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(size=(40, 200)).astype(np.float32), 2, axis=0)
    labels, groups = np.repeat(np.arange(40) % 2, 2), np.repeat(np.arange(40), 2)
    leaking = out_of_sample(vectors, labels, alone(labels), 5, 1)
    apart = out_of_sample(vectors, labels, groups, 5, 1)
    assert (leaking.argmax(axis=1) == labels).mean() > 0.7
    assert (apart.argmax(axis=1) == labels).mean() < 0.7


def test_what_is_judged_shapes_no_judge_of_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even by the scale of the vectors: one that is far off changes nothing for those that are judged with it."""
    monkeypatch.setattr(confident_learning, "STRENGTHS", (0.1,))
    vectors, labels = clouds(2, 20, 5)
    parts = grouped_parts(labels, alone(labels), 4, 1)
    far, *beside = np.flatnonzero(parts == 0)
    before = out_of_sample(vectors, labels, alone(labels), 4, 1)
    vectors[far] += 1e4
    after = out_of_sample(vectors, labels, alone(labels), 4, 1)
    assert np.array_equal(before[beside], after[beside])
    assert not np.array_equal(before, after)


def sites() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two large sites with all classes but the first, and five small ones that have it: these fill the last part."""
    counts = [((1, 2, 3), 60, range(2)), ((1, 2, 3), 12, range(10, 15)), ((0,), 4, range(10, 15))]
    pairs = [(label, site) for labels, count, of in counts for site in of for label in labels for _ in range(count)]
    labels, groups = np.array(pairs).T
    noise = np.random.default_rng(0).normal(size=(len(labels), 6))
    return (10 * np.eye(4, 6)[labels] + noise).astype(np.float32), labels, groups


def test_no_part_has_all_images_of_a_class_that_others_could_have() -> None:
    """Else its class has the probability 0, and it is named as mislabelled."""
    vectors, labels, groups = sites()
    assert (out_of_sample(vectors, labels, groups, 3, 1).argmax(axis=1) == labels).all()


def test_an_image_whose_class_no_judge_knows_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels, groups = sites()
    monkeypatch.setattr(
        confident_learning, "grouped_parts", lambda *_: np.select([groups == 0, groups == 1], [0, 1], 2)
    )
    probabilities = out_of_sample(vectors, labels, groups, 3, 1)
    judged = np.isfinite(probabilities).all(axis=1)
    assert np.array_equal(judged, labels != 0)
    assert (probabilities[judged].argmax(axis=1) == labels[judged]).all()


def test_a_confident_contradiction_is_named_the_most_certain_first() -> None:
    labels = np.array([0] * 10 + [1] * 10)
    right = np.where(labels == 0, 0.95, 0.05)
    right[[3, 12, 15]] = [0.04, 0.99, 0.4]
    probabilities = np.stack([right, 1 - right], axis=1)
    assert suspicious(labels, probabilities, 0.1).tolist() == [12, 3]
    assert suspicious(labels, probabilities, 0.03).tolist() == [12]
    assert suspicious(labels, np.stack([1 - labels * 1.0, labels * 1.0], axis=1), 0.1).tolist() == []


def test_the_margin_up_to_which_an_image_is_named_is_among_them() -> None:
    assert suspicious(np.array([0, 0]), np.array([[0.25, 0.75], [0.26, 0.74]]), 0.25).tolist() == [0]


def test_of_many_classes_another_must_be_likelier_than_all_the_rest() -> None:
    labels = np.zeros(3, np.int64)
    probabilities = np.array([[0.01, 0.45, 0.27, 0.27], [0.01, 0.85, 0.07, 0.07], [0.4, 0.6, 0.0, 0.0]])
    assert suspicious(labels, probabilities, 0.1).tolist() == [1]


@pytest.mark.parametrize(("classes", "each"), [(2, 5), (2, 105), (10, 21), (100, 5), (210, 2)])
@pytest.mark.parametrize("spread", [0.05, 1, 3])
def test_a_model_that_knows_nothing_names_about_none_however_sure_it_is(classes: int, each: int, spread: float) -> None:
    labels, named = np.repeat(np.arange(classes), each), []
    for seed in range(5):
        weights = np.exp(np.random.default_rng(seed).normal(0, spread, (len(labels), classes)))
        probabilities = calibrated(labels, weights / weights.sum(axis=1, keepdims=True))
        assert np.allclose(probabilities.sum(axis=1), 1)
        named.append(len(suspicious(labels, probabilities, 0.1)))
    assert np.mean(named) <= 1


@pytest.mark.parametrize(
    ("classes", "each"), [(2, 5), (2, 20), (2, 100), (10, 5), (10, 20), (10, 100), (100, 5), (100, 20)]
)
def test_a_good_model_finds_most_of_the_planted_flips_and_hardly_names_others(classes: int, each: int) -> None:
    """Whether the model is too shy or too sure."""
    rng = np.random.default_rng(classes + each)
    truth = np.repeat(np.arange(classes), each)
    planted = rng.choice(len(truth), max(1, len(truth) // 20), replace=False)
    labels = truth.copy()
    labels[planted] = (truth[planted] + rng.integers(1, classes, len(planted))) % classes
    scores = rng.normal(size=(len(truth), classes)) + 6 * np.eye(classes)[truth]
    for sharpness in (0.3, 1, 3):
        weights = np.exp(sharpness * scores)
        probabilities = calibrated(labels, weights / weights.sum(axis=1, keepdims=True))
        named = suspicious(labels, probabilities, 0.1)
        assert np.isin(planted, named).mean() >= 0.8
        assert (~np.isin(named, planted)).sum() <= 0.01 * len(truth)


def test_many_wrong_labels_are_found_too() -> None:
    """A tenth of them: they do not pass for mistakes of the model."""
    rng = np.random.default_rng(0)
    vectors, truth = clouds(2, 100, 20)
    labels = np.where(rng.uniform(size=200) < 0.1, 1 - truth, truth)
    probabilities = out_of_sample(vectors, labels, alone(labels), 5, 1)
    named = suspicious(labels, calibrated(labels, probabilities), 0.1)
    assert (labels != truth)[named].all()
    assert len(named) >= 0.8 * (labels != truth).sum()


@pytest.mark.parametrize(("classes", "each"), [(2, 10), (10, 6), (10, 20)])
def test_features_that_tell_the_classes_find_flips_in_small_classes(classes: int, each: int) -> None:
    vectors, truth = clouds(classes, each, 20)
    labels = truth.copy()
    labels[::20] = (labels[::20] + 1) % classes
    probabilities = calibrated(labels, out_of_sample(vectors, labels, alone(labels), 4, 1))
    named = set(suspicious(labels, probabilities, 0.1).tolist())
    planted = set(np.flatnonzero(labels != truth).tolist())
    assert planted <= named
    assert len(named - planted) <= 1


def test_classes_without_an_image_for_each_fold() -> None:
    labels, groups = np.array([0, 0, 0, 1, 1, 1, 2]), np.array([0, 1, 2, 3, 3, 4, 5])
    assert large_enough(labels, groups, 3).tolist() == [True] * 3 + [False] * 4
    assert large_enough(labels, groups, 2).tolist() == [True] * 6 + [False]
