"""Both heads beside each other: what each is asked for, and by what they are judged. Nothing is trained here."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.lib.arrays import feature_files
from stages.lib.arrays.feature_files import FeatureSet
from stages.lib.core.model_sections import FeatureExtractionParams
from stages.lib.heads import choice, logistic, refit, trained
from stages.lib.heads.asked import training_of
from stages.lib.heads.cross_validation import divisions
from stages.lib.images.manifest import SUBSETS, Subset
from tests.stages.head_params import HEAD

NAMES = [f"{index}.png" for index in range(24)]
LABELS = np.repeat([0, 1], [18, 6])
VECTORS = np.stack([np.arange(24), np.ones(24)], axis=1).astype(np.float32)
MIRRORED = VECTORS + np.array([0, 2], np.float32)


def params(**changes: object) -> FeatureExtractionParams:
    return HEAD.model_copy(update=changes)


@pytest.mark.parametrize("mirror", [True, False])
@pytest.mark.parametrize("kind", [None, "balanced"])
def test_a_head_is_asked_about_images_that_it_has_not_seen_and_starts_anew_in_each_fold(
    mirror, kind, common, monkeypatch
):
    images, groups = np.arange(24)[::-1][:20], np.arange(20) // 2
    starts, seen, asked = [], [], []

    def build_head(stack, channels, real=trained.build.head):
        model = real(stack, channels)

        def fit(batches, class_weight, **_):
            starts.append(model.get_weights()[0].copy())
            shown, labels = (np.concatenate(each) for each in zip(*batches.as_numpy_iterator(), strict=True))
            seen.append(np.sort(shown[:, 0].astype(int)))
            np.testing.assert_array_equal(labels, LABELS[shown[:, 0].astype(int)])
            counts = np.bincount(labels)
            balanced = {label: counts.sum() / (2 * count) for label, count in enumerate(counts)}
            assert class_weight == (balanced if kind else None)
            model.set_weights([each + 1 for each in model.get_weights()])

        model.fit = fit
        return model

    def judge(head, vectors, labels):
        asked.append(vectors)
        np.testing.assert_array_equal(labels, LABELS[vectors[:, 0].astype(int)])
        return vectors[:, 0]

    monkeypatch.setattr(trained.build, "head", build_head)
    monkeypatch.setattr(trained, "_losses", judge)
    train = FeatureSet(VECTORS, LABELS, NAMES, MIRRORED)
    wanted = params(mirror=mirror, class_weights=kind, epochs=2, min_steps=None)
    found = trained.losses(train, images, groups, 2, common, wanted)
    np.testing.assert_array_equal(found, VECTORS[images, 0])
    division = divisions(LABELS[images], groups, common.seed, times=1)[0]
    for fold in range(division.max() + 1):
        own, others = images[division == fold], images[division != fold]
        for epoch in (2 * fold, 2 * fold + 1):
            np.testing.assert_array_equal(asked[epoch][:, 0], own)
            assert set(asked[epoch][:, 1]) == {2 if mirror else 1}
            assert seen[epoch].tolist() == sorted(others)
        np.testing.assert_array_equal(starts[2 * fold], starts[0])
        np.testing.assert_allclose(starts[2 * fold + 1], starts[0] + 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("gains", "balanced", "kind"),
    [
        ((0.5, 0.5), False, "mlp"),
        ((-0.5, -0.5), False, "logistic"),
        ((0.03, 0.03), False, "logistic"),  # less than two standard errors of 0.021
        ((0.3, -0.2), False, "mlp"),
        ((0.3, -0.2), True, "logistic"),  # better for most images, and worse for the small class
        ((-0.08, 0.6), False, "logistic"),
        ((-0.08, 0.6), True, "mlp"),
    ],
)
def test_the_trained_head_is_taken_by_the_loss_that_both_train_with(gains, balanced, kind, common, monkeypatch):
    groups = np.arange(24) // 2
    given = np.append(np.arange(24)[::-1][:22], [0])
    own = np.where(given == 0, np.nan, 1.0)
    alone = logistic.Choice(True, (np.arange(len(logistic.STRENGTHS)) == 0).astype(float), 1.0)
    columns = pd.DataFrame(columns=list(logistic.COLUMNS))
    monkeypatch.setattr(logistic, "search", lambda *_: logistic.Search(alone, columns, given, own))
    monkeypatch.setattr(choice, "FEWEST", 1)

    def losses(train, images, together, *_):
        np.testing.assert_array_equal(images, given)
        np.testing.assert_array_equal(together, groups[given])
        return 1.0 - np.array(gains)[LABELS[images]] + np.where(images == 0, 1000, np.where(images % 2, 0.1, -0.1))

    monkeypatch.setattr(trained, "losses", losses)
    wanted = params(head="auto", class_weights="balanced" if balanced else None)
    about = choice.choose(FeatureSet(VECTORS, LABELS, NAMES), groups, 2, common, wanted).about
    weights = np.where(LABELS == 1, 2, 2 / 3)[given[:-1]] if balanced else np.ones(22)
    assert about["kind"] == kind
    assert about["judged"] == 22
    assert about["log_loss"]["logistic"] == pytest.approx(weights.mean())
    other = 1.0 - np.array(gains)[LABELS[given[:-1]]] + np.where(given[:-1] % 2, 0.1, -0.1)
    assert about["log_loss"]["mlp"] == pytest.approx((weights * other).mean())


@pytest.mark.parametrize(("judged", "kind"), [(99, "logistic"), (100, "mlp")])
def test_a_hundred_images_may_judge_the_trained_head(judged, kind, common, monkeypatch):
    labels, names = np.arange(120) % 2, [str(index) for index in range(120)]
    losses = np.where(np.arange(120) < judged, 1.0, np.nan)
    alone = logistic.Choice(True, (np.arange(len(logistic.STRENGTHS)) == 0).astype(float), 1.0)
    table = pd.DataFrame(columns=list(logistic.COLUMNS))
    monkeypatch.setattr(logistic, "search", lambda *_: logistic.Search(alone, table, np.arange(120), losses))
    monkeypatch.setattr(trained, "losses", lambda train, images, *_: np.full(len(images), 0.5))
    train = FeatureSet(np.random.default_rng(0).normal(size=(120, 3)).astype(np.float32), labels, names)
    assert choice.choose(train, np.arange(120), 2, common, params(head="auto")).about["kind"] == kind


def test_a_linear_head_learns_from_what_the_parameters_ask_for():
    train = FeatureSet(VECTORS, LABELS, NAMES, MIRRORED)
    plain = training_of(train, np.arange(24), 2, params(class_weights=None, mirror=False))
    assert plain.weights is None
    assert not plain.averaged
    assert plain.mirrored is MIRRORED, "learned from, also where predictions are made from the image alone"
    both = training_of(train, np.arange(24), 2, params(class_weights="balanced", mirror=True))
    assert both.averaged
    np.testing.assert_allclose(both.weights, np.where(LABELS == 1, 2, 2 / 3), rtol=1e-6)


@pytest.mark.parametrize(("on", "numbers"), [("none", 8), ("validation", 16), ("all", 24)])
@pytest.mark.parametrize("mirror", [True, False])
def test_a_head_is_fitted_again_on_whole_groups_of_the_subsets_that_are_asked_for(
    on, numbers, mirror, common, monkeypatch, tmp_path: Path
):
    for place, subset in enumerate(SUBSETS):
        own = np.arange(8 * place, 8 * place + 8)
        names = [f"{index}.png" for index in own]
        images = Subset([Path(name) for name in names], names, ["0"] * 8, own % 2, ["cat", "dog"])
        feature_files.write(tmp_path, subset, images, 2, [VECTORS[own]], [MIRRORED[own]])
    feature_files.write_about(tmp_path, ["cat", "dog"], "float32")
    searched, real = [], logistic.search
    monkeypatch.setattr(logistic, "search", lambda training, seed: searched.append(training) or real(training, seed))
    monkeypatch.setattr(refit, "whole_model", lambda *_: "model")
    monkeypatch.setattr(refit.mirroring, "mirrored", lambda model: f"mirrored {model}")
    found = refit.refitted(
        *(tmp_path, on, lambda names: np.array([int(name[:-4]) // 2 for name in names])),
        *(tmp_path, common, params(mirror=mirror)),
    )
    assert (found.learned, found.images) == (numbers, numbers)
    assert found.model == ("mirrored model" if mirror else "model")
    [training] = searched
    assert training.vectors[np.arange(numbers)][:, 0].tolist() == list(range(numbers))
    assert training.groups.tolist() == [number // 2 for number in range(numbers)]
