"""Confident learning: who is named, who is not, and that no copy speaks for its copy."""

import numpy as np
import pytest

from stages.lib import label_issues
from stages.lib.label_issues import large_enough, out_of_sample, suspicious
from stages.lib.rows import Picked


def clouds(classes: int, each: int, channels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around a centre of each class, far apart."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    centres = 10 * np.eye(classes, channels) if channels >= classes else 10 * np.arange(classes)[:, np.newaxis]
    return (centres[labels] + rng.normal(size=(len(labels), channels))).astype(np.float32), labels


def alone(labels: np.ndarray) -> np.ndarray:
    return np.arange(len(labels))


@pytest.mark.parametrize(("classes", "channels"), [(2, 1), (2, 30), (12, 40)])
def test_held_out_pictures_are_told_apart(classes: int, channels: int) -> None:
    vectors, labels = clouds(classes, 20, channels)
    chances = out_of_sample(vectors, labels, alone(labels), 4, 1)
    assert chances.shape == (len(labels), classes)
    assert np.allclose(chances.sum(axis=1), 1)
    assert (chances.argmax(axis=1) == labels).mean() > 0.97
    assert np.array_equal(chances, out_of_sample(vectors, labels, alone(labels), 4, 1))


def test_features_that_tell_nothing_make_no_one_confident() -> None:
    """Were a picture judged by a model that has seen it, random labels would be learnt by heart."""
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(60, 200)).astype(np.float32), np.arange(60) % 2
    chances = out_of_sample(vectors, labels, alone(labels), 5, 1)
    assert 0.3 < (chances.argmax(axis=1) == labels).mean() < 0.7


def test_of_many_pictures_some_are_learnt_from_and_all_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_issues, "LEARNED", 80)
    monkeypatch.setattr(label_issues, "_JUDGED", 50)
    monkeypatch.setattr(label_issues, "_LEAST", 5)
    large, labels = clouds(3, 200, 10)
    few = np.repeat([0, 1, 2], [200, 200, 8])  # the third class hardly ever drawn by chance
    vectors, labels = np.concatenate([large[labels == name][: (few == name).sum()] for name in range(3)]), few
    learnt: list[int] = []
    fitted = label_issues._fitted
    monkeypatch.setattr(label_issues, "_fitted", lambda *given: learnt.append(len(given[1])) or fitted(*given))
    chances = out_of_sample(Picked([vectors], alone(labels)), labels, alone(labels), 4, 1)
    assert max(learnt) == 80
    assert np.allclose(chances.sum(axis=1), 1)
    assert (chances.argmax(axis=1) == labels).mean() > 0.97
    assert (chances.argmax(axis=1) == labels)[labels == 2].mean() > 0.7


def test_a_copy_does_not_speak_for_its_copy() -> None:
    """Each picture comes twice, and nothing but its copy gives its class away."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(size=(40, 200)).astype(np.float32), 2, axis=0)
    labels, groups = np.repeat(np.arange(40) % 2, 2), np.repeat(np.arange(40), 2)
    leaking = out_of_sample(vectors, labels, alone(labels), 5, 1)
    apart = out_of_sample(vectors, labels, groups, 5, 1)
    assert (leaking.argmax(axis=1) == labels).mean() > 0.7
    assert (apart.argmax(axis=1) == labels).mean() < 0.7


def test_a_confident_contradiction_is_named_the_most_certain_first() -> None:
    labels = np.array([0] * 10 + [1] * 10)
    right = np.where(labels == 0, 0.95, 0.05)
    right[[3, 12, 15]] = [0.04, 0.99, 0.4]
    chances = np.stack([right, 1 - right], axis=1)
    assert suspicious(labels, chances, 0.1).tolist() == [12, 3]
    assert suspicious(labels, chances, 0.03).tolist() == [12]
    assert suspicious(labels, np.stack([1 - labels * 1.0, labels * 1.0], axis=1), 0.1).tolist() == []


def test_a_class_that_is_never_certain_needs_less_to_be_suggested() -> None:
    """Confidence counts relative to what the class usually has, here .6."""
    labels = np.array([0] * 10 + [1] * 10)
    chances = np.tile([0.4, 0.6], (20, 1))
    chances[:10] = [0.95, 0.05]
    chances[0] = [0.35, 0.65]
    assert suspicious(labels, chances, 0.5).tolist() == [0]
    assert suspicious(labels, chances, 0.1).tolist() == []


def test_classes_without_a_picture_for_each_fold() -> None:
    labels, groups = np.array([0, 0, 0, 1, 1, 1, 2]), np.array([0, 1, 2, 3, 3, 4, 5])
    assert large_enough(labels, groups, 3).tolist() == [True] * 3 + [False] * 4
    assert large_enough(labels, groups, 2).tolist() == [True] * 6 + [False]
