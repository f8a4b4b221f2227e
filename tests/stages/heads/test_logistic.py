"""A linear head on features: what it learns, how it is chosen, and that it is one layer of Keras."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from stages.lib.arrays import rows
from stages.lib.core.errors import UserError
from stages.lib.heads import logistic, race, solver, training_images, trial
from stages.lib.heads.cross_validation import divisions, out_of_fold
from stages.lib.heads.linear import of_classes
from stages.lib.heads.solver import components_of, solve
from stages.lib.heads.training_images import Training

CHANNELS = 12


def blobs(counts: list[int], seed: int = 0, apart: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Features of classes that overlap, all positive as those of a backbone, and their labels."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(1).normal(0, apart, (len(counts), CHANNELS))
    labels = np.repeat(np.arange(len(counts)), counts)
    return (10 + centres[labels] + rng.normal(0, 2, (len(labels), CHANNELS))).astype(np.float32), labels


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("strength", [10.0, 1.0])
def test_the_solution_is_that_of_scikit_learn(classes: int, strength: float) -> None:
    vectors, labels = blobs([40, 25, 30][:classes])
    components = components_of(vectors)
    own = np.ones((len(labels), 1), np.float32)
    own[:5] = 0
    found = solve(components, labels, classes, own, np.array([strength / own.sum()]), 500)[:, 0]
    expected = LogisticRegression(C=1 / strength, max_iter=5000, tol=1e-8).fit(vectors[5:], labels[5:])
    probabilities = softmax(of_classes(components.rows @ found[1:] + found[0]), axis=1)
    np.testing.assert_allclose(probabilities, expected.predict_proba(vectors), atol=0.005)


@pytest.mark.parametrize("classes", [2, 3])
def test_rows_read_a_few_at_a_time_give_what_all_at_once_do(classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = blobs([120, 110, 90][:classes])
    own, strengths = np.ones((len(labels), 3), np.float32), np.array([1.0, 0.01, 0.0001]) / len(labels)
    monkeypatch.setattr(solver, "_IN_CACHE", 50 * CHANNELS)
    some = solve(components_of(vectors), labels, classes, own, strengths, 120)
    monkeypatch.setattr(solver, "_FEWEST", 1000)
    monkeypatch.setattr(solver, "_FEW_OUTPUTS", 0)
    np.testing.assert_allclose(
        some, solve(components_of(vectors), labels, classes, own, strengths, 120), rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_rows_that_no_model_sees_are_not_read_and_change_nothing(classes: int) -> None:
    vectors, labels = blobs([60, 50, 40][:classes])
    own, strengths = np.ones((len(labels), 2), np.float32), np.array([0.01, 0.0001])
    own[::5] = 0
    apart = solve(components_of(vectors), labels, classes, own[:, :1], strengths[:1], 120)
    # The second model sees what the first does not.
    own[::5, 1] = 1
    together = solve(components_of(vectors), labels, classes, own, strengths, 120)
    np.testing.assert_allclose(apart[:, 0], together[:, 0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("counts", [[2, 2], [2, 9], [1, 1], [1, 6, 2], [30, 2, 2]])
def test_few_images_and_classes_of_one_or_two_are_fitted(counts: list[int]) -> None:
    vectors, labels = blobs(counts, apart=6)
    probabilities = logistic.fit(vectors, labels, np.arange(len(labels)), len(counts), 0).probabilities(vectors)
    assert probabilities.shape == (len(labels), len(counts))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == labels).all()


def test_images_that_belong_together_are_in_one_fold() -> None:
    labels, groups = np.repeat([0, 1], 30), np.arange(60) // 3
    for division in divisions(labels, groups, seed=0, times=3):
        assert all(len(set(division[groups == group])) == 1 for group in range(20))
        assert {len(set(labels[division == fold])) for fold in range(5)} == {2}


def test_copies_do_not_choose_a_strength_that_remembers_them() -> None:
    """Noise, each image ten times: only folds that know the copies find that nothing can be learnt."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(0, 1, (20, 60)), 10, axis=0).astype(np.float32)
    labels = np.repeat(rng.permutation(np.repeat([0, 1], 10)), 10)
    apart = logistic.search(Training(vectors, labels, np.arange(200), 2), 0)
    together = logistic.search(Training(vectors, labels, np.arange(200) // 10, 2), 0)
    assert np.nanmean(apart.losses) < 0.1
    assert np.nanmean(together.losses) > 0.5


def test_mirrored_features_are_learned_from() -> None:
    """What differs between an image and its mirror image is not what classes differ by."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 15)
    side = np.where(labels == 1, 3.0, -3.0) * rng.choice([1, 1, 1, 1, -1], 30)
    signal = rng.normal(np.where(labels == 1, 1.5, -1.5), 1)
    vectors, mirrored = (np.stack([s, signal, np.full(30, 4.0)], axis=1).astype(np.float32) for s in (side, -side))
    groups = np.arange(30)
    alone = logistic.fit(vectors, labels, groups, 2, 0)
    both = logistic.fit(vectors, labels, groups, 2, 0, mirrored)
    assert abs(both.kernel[0, 0]) < 0.1 * abs(alone.kernel[0, 0])


def test_probabilities_mean_what_they_say_on_new_images() -> None:
    vectors, labels = blobs([150, 150], apart=0.8)
    new, truth = blobs([2000, 2000], seed=5, apart=0.8)
    training = Training(vectors, labels, np.arange(300), 2)
    found = logistic.search(training, 0)
    losses = -np.log(logistic.fitted(training, found.choice, 0).probabilities(new)[np.arange(4000), truth])
    assert losses.mean() == pytest.approx(np.nanmean(found.losses), abs=0.06)
    best = LogisticRegression(C=1e-2, max_iter=1000).fit(vectors, labels).predict_proba(new)
    assert losses.mean() < -np.log(best[np.arange(4000), truth]).mean() + 0.03


def test_more_images_than_fit_are_drawn_and_no_class_is_lost(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    vectors, labels = blobs([300, 300, 3], apart=6)
    np.save(tmp_path / "train.npy", vectors)
    asked = []
    real = rows.Rows.__getitem__
    monkeypatch.setattr(training_images, "LEARNED", 100)
    monkeypatch.setattr(logistic, "CHOSEN_ON", 60)
    monkeypatch.setattr(rows.Rows, "__getitem__", lambda self, few: asked.append(np.size(few)) or real(self, few))
    training = Training(rows.Rows(tmp_path / "train.npy"), labels, np.arange(603), 3)
    found = logistic.search(training, 0)
    head = logistic.fitted(training, found.choice, 0)
    assert max(asked) <= 110
    assert {2} < set(labels[found.images])
    assert (head.probabilities(vectors).argmax(axis=1) == labels).mean() > 0.95


def test_what_cannot_count_is_not_judged_on_all_folds_and_nothing_else_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = blobs([250, 250], apart=1.5)
    training = Training(vectors, labels, np.arange(500), 2)
    raced = logistic.search(training, 0)
    monkeypatch.setattr(race, "ENOUGH", 1000)
    judged = logistic.search(training, 0)
    assert raced.strengths["log_loss"].isna().any()
    assert judged.strengths["log_loss"].notna().all()
    np.testing.assert_allclose(raced.choice.shares, judged.choice.shares, atol=1e-3)
    assert raced.choice.unit_length == judged.choice.unit_length


def test_where_every_class_counts_the_same_no_strength_is_left_out_for_the_largest_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 600 images and three times 40: what is best for most images may be the worst for the classes together."""
    rng, labels = np.random.default_rng(1), np.repeat([0, 1, 2, 3], [600, 40, 40, 40])
    centres = rng.normal(0, 1.2 / 32**0.5, (4, 32))
    vectors = (rng.normal(size=(720, 32)) + centres[labels] + 1).astype(np.float32)
    weights = 720 / (4 * np.bincount(labels)[labels])
    training = Training(vectors, labels, np.arange(720), 4, weights=weights)
    raced = logistic.search(training, 0)
    monkeypatch.setattr(race, "ENOUGH", 1000)
    judged = logistic.search(training, 0)
    assert raced.strengths["log_loss"].min() == pytest.approx(judged.strengths["log_loss"].min(), abs=1e-3)
    np.testing.assert_allclose(raced.choice.shares, judged.choice.shares, atol=1e-2)


def test_folds_one_by_one_choose_what_all_at_once_do(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = blobs([100, 90, 80], apart=1)
    training = Training(vectors, labels, np.arange(270), 3)
    together = logistic.search(training, 0)
    monkeypatch.setattr(trial, "_WIDE", 0)
    apart = logistic.search(training, 0)
    np.testing.assert_allclose(apart.choice.shares, together.choice.shares, atol=1e-3)
    np.testing.assert_allclose(apart.losses, together.losses, atol=1e-3)
    assert apart.choice.factor == pytest.approx(together.choice.factor, abs=1e-3)


def test_a_race_from_a_wrong_start_ends_where_the_best_are() -> None:
    """Losses are lowest at the strength 2 of 8; the start is 6, and each round looks one further."""
    rng, asked = np.random.default_rng(0), []
    logits = np.full((60, 8, 2), np.nan, np.float32)

    def judge(racing: np.ndarray) -> np.ndarray:
        asked.extend(racing.tolist())
        logits[:, racing] = 0
        logits[:, racing, 1] = 3 - np.abs(racing - 2) + rng.normal(0, 0.1, (60, len(racing)))
        return logits

    ahead, losses = race.run(judge, np.array([6]), np.ones(60, np.int64), np.ones(60), 300)
    assert losses.mean(axis=0)[ahead].min() == np.nanmin(losses.mean(axis=0))
    assert np.nanargmin(losses.mean(axis=0)) == 2
    assert len(asked) == len(set(asked))


def test_a_strength_without_finite_logits_is_judged_once_and_left_out() -> None:
    asked: list[int] = []
    logits = np.full((60, 4, 2), np.nan, np.float32)

    def judge(racing: np.ndarray) -> np.ndarray:
        assert len(asked) < 10
        asked.extend(racing.tolist())
        logits[:, racing] = 0
        logits[:, 2] = np.nan
        return logits

    ahead, _ = race.run(judge, np.array([0, 1]), np.ones(60, np.int64), np.ones(60), 300)
    assert ahead.tolist() == [0, 1]
    assert asked == [0, 1, 2]


def test_a_procedure_is_judged_on_images_it_has_not_seen() -> None:
    vectors, labels = blobs([25, 25], apart=0)
    probabilities = out_of_fold(logistic.fit, vectors, labels, np.arange(50), 2, 0, times=2)
    assert probabilities.shape == (2, 50, 2)
    assert 0.25 < (probabilities.argmax(axis=2) == labels).mean() < 0.7


def test_features_that_are_no_numbers_are_an_error() -> None:
    vectors, labels = blobs([4, 4])
    vectors[3, 1] = np.inf
    with pytest.raises(UserError, match=r"1 of 8 training images: set features\.precision to float32"):
        logistic.fit(vectors, labels, np.arange(8), 2, 0)
