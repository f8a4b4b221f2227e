"""Classes of different sizes may count the same in training."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.feature_extraction import FeatureExtractionParams, feature_extraction
from stages.lib.arrays import feature_files
from stages.lib.images.manifest import SUBSETS, Subset
from stages.lib.training.class_weights import class_weights, image_weights

CHANNELS = 1280  # of the tiny backbone


def test_a_class_three_times_smaller_weighs_three_times_more():
    weights = class_weights(np.array([0, 0, 0, 1]), "balanced")
    assert weights == pytest.approx({0: 4 / (2 * 3), 1: 4 / (2 * 1)})


def test_without_a_kind_every_image_weighs_the_same():
    assert class_weights(np.array([0, 0, 0, 1]), None) is None


@pytest.mark.parametrize("head", ["mlp", "logistic"])
@pytest.mark.parametrize(("kind", "expected"), [(None, 0.25), ("balanced", 0.5)])
def test_a_model_that_sees_nothing_learns_the_share_that_its_class_counts_for(
    head, kind, expected, preset, common, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    features = tmp_path / "features"
    features.mkdir()
    names = [f"{index}.png" for index in range(32)]
    for subset in SUBSETS:
        # As whoever divided the images may have them: one class in four to train, both alike to validate.
        labels = np.array(([0, 0, 0, 1] if subset == "train" else [0, 1, 0, 1]) * 8)
        images = Subset([Path(name) for name in names], names, names, labels, ["cat", "dog"])
        feature_files.write(features, subset, images, CHANNELS, [np.zeros((len(labels), CHANNELS), np.float32)])
    feature_files.write_about(features, ["cat", "dog"], "float32")
    params = FeatureExtractionParams(
        enabled=True,
        units=2,
        activation="linear",
        dropout=0.0,
        epochs=100,
        learning_rate=0.01,
        schedule="constant",
        min_steps=None,
        early_stopping=None,
        class_weights=kind,
        mirror=False,
        head=head,
    )
    seen = []
    monkeypatch.setattr("stages.lib.training.artifact.write", lambda *arguments, **_: seen.extend(arguments[2:5]))
    manifest, duplicates = tmp_path / "manifest.csv", tmp_path / "duplicates.csv"
    pd.DataFrame({"path": names, "group": "", "sha256": names}).to_csv(manifest, index=False)
    pd.DataFrame(columns=["group", "path", "sha256", "class", "kind", "distance", "action"]).to_csv(
        duplicates, index=False
    )
    feature_extraction(features, manifest, duplicates, preset, tmp_path / "model", common, params)
    if head == "logistic":
        probability = seen[0](np.zeros((1, 32, 32, 3), np.float32)).numpy().item()
        assert probability == pytest.approx(expected, abs=0.01)
        return
    # The cross-entropy of 16 cats and 16 dogs when every image gets the probability `expected` of being a dog. What a
    # class weighs in training, where there are 24 and 8, would count dogs three times here.
    loss = -(np.log(1 - expected) + np.log(expected)) / 2
    assert seen[2]["val_loss"].tail(20).mean() == pytest.approx(loss, abs=0.01)


def test_an_image_weighs_what_its_class_does():
    assert image_weights(np.array([1, 0, 0, 2]), "balanced").tolist() == pytest.approx([4 / 3, 2 / 3, 2 / 3, 4 / 3])
    assert image_weights(np.array([1, 0, 2]), None) is None


@pytest.mark.parametrize("balanced", [False, True])
def test_the_validation_loss_is_that_of_a_training_step(balanced):
    """And with it the best epoch, and when training stops early."""
    import keras

    from stages.lib.training import loop

    labels = np.array([0] * 9 + [1])
    vectors = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(inputs))
    measured = loop.validate_on(model, vectors, labels, 4, "balanced" if balanced else None)()
    probability = model(vectors).numpy()[:, 0]
    each = -np.log(np.where(labels == 1, probability, 1 - probability))
    expected = (each[labels == 0].mean() + each[labels == 1].mean()) / 2 if balanced else each.mean()
    assert measured["loss"] == pytest.approx(expected, rel=1e-5)
    assert measured["accuracy"] == pytest.approx(((probability > 0.5) == labels).mean())
