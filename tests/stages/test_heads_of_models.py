"""The head that `feature_extraction` takes, through the real stages, and what it leaves for those after it."""

import itertools
import shutil
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from stages.evaluate import EvaluateParams, evaluate
from stages.feature_extraction import FeatureExtractionParams, feature_extraction
from stages.features import FeaturesParams, features
from stages.lib.arrays import feature_files, rows
from stages.lib.core.params import CommonParams
from stages.lib.deciding.vectors import Seen
from stages.lib.heads import choice, trained
from stages.lib.page.heads import sentence
from tests.stages.model_runs import HEAD, TRAINING, load, summary, tables_of

pytestmark = pytest.mark.usefixtures("elsewhere")


def params(**changes: object) -> FeatureExtractionParams:
    values = TRAINING | HEAD | {"head": "logistic", "mirror": True}
    return FeatureExtractionParams.model_validate(values | changes)


@pytest.fixture(scope="module")
def vectors(tmp_path_factory, preset: Path, three_classes: tuple[Path, Path], common: CommonParams) -> Path:
    folder = tmp_path_factory.mktemp("heads")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        both = FeaturesParams(enabled=True, batch_size=7, precision="float32", mirror=True)
        features(*three_classes, preset, folder / "none", folder / "features", common, both)
    return folder / "features"


def test_a_fitted_head_is_saved_evaluated_and_explained(
    vectors, three_classes, preset, common, tmp_path, monkeypatch
) -> None:
    folder = tmp_path / "feature_extraction"
    feature_extraction(*tables_of(vectors, three_classes), preset, folder, common, params())
    assert {path.name for path in folder.iterdir()} == {
        "model.keras", "history.csv", "summary.json", "summary.txt", "strengths.csv",
    }  # fmt: skip
    about, history = summary(folder), pd.read_csv(folder / "history.csv")
    assert history.empty
    assert list(history) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert (about["epochs"], about["best_epoch"]) == (0, None)
    assert about["head"]["kind"] == "logistic"
    assert pd.read_csv(folder / "strengths.csv")["share"].sum() == pytest.approx(1)
    options = EvaluateParams(batch_size=8, explained=2)
    evaluate(*three_classes, folder, tmp_path / "evaluation", tmp_path / "metrics.json", common, options)
    predicted = pd.read_csv(tmp_path / "evaluation" / "predictions.csv")
    assert (predicted["label"] == predicted["predicted"]).mean() > 0.9
    test = feature_files.read(vectors, "test")
    mean = (test.vectors + test.mirrored) / 2
    model, _ = load(folder)
    head = keras.Sequential(model.layers[model.layers.index(model.get_layer("mirror_mean")) + 1 :])
    found = predicted[[f"p_{name}" for name in ("apple", "pear", "plum")]].to_numpy()
    np.testing.assert_allclose(found, head(mean), atol=1e-4)
    # Decisions are taken on the same features, also where these are too large for memory.
    np.testing.assert_array_equal(Seen(folder, *three_classes, vectors).test, mean)
    monkeypatch.setattr(rows, "MEMORY_BUDGET", 0)
    np.testing.assert_array_equal(Seen(folder, *three_classes, vectors).test, mean)
    # Or where those of the mirrored images, on which this model decides too, were not computed (`features.mirror`).
    plain = shutil.copytree(vectors, tmp_path / "plain", ignore=shutil.ignore_patterns("*_mirrored.npy"))
    np.testing.assert_allclose(Seen(folder, *three_classes, plain).test, mean, atol=1e-4)


def test_auto_takes_the_trained_head_only_where_it_is_better(
    vectors, three_classes, preset, common, tmp_path, monkeypatch
) -> None:
    tables = tables_of(vectors, three_classes)
    monkeypatch.setattr(choice, "FEWEST", 1)
    feature_extraction(*tables, preset, tmp_path / "fitted", common, params(head="auto"))
    about = summary(tmp_path / "fitted")
    assert about["head"]["kind"] == "logistic"
    assert about["head"]["log_loss"]["mlp"] > about["head"]["log_loss"]["logistic"]
    assert "beside" in sentence(about)
    assert "mirror image" in sentence(about)
    monkeypatch.setattr(trained, "losses", lambda train, images, *_: np.full(len(images), 1e-9))
    feature_extraction(*tables, preset, tmp_path / "trained", common, params(head="auto"))
    assert summary(tmp_path / "trained")["head"]["kind"] == "mlp"
    assert len(pd.read_csv(tmp_path / "trained" / "history.csv")) == 2


def test_few_images_do_not_judge_a_trained_head(vectors, three_classes, preset, common, tmp_path, monkeypatch) -> None:
    """It picks its epoch by the images that judge it: twenty of them once took one of 92 % before one of 96 %."""
    monkeypatch.setattr(trained, "losses", lambda train, images, *_: np.full(len(images), 1e-9))
    feature_extraction(*tables_of(vectors, three_classes), preset, tmp_path / "few", common, params(head="auto"))
    assert summary(tmp_path / "few")["head"]["kind"] == "logistic"


def test_the_features_of_mirrored_images_are_those_of_the_flipped_file(vectors, preset, three_classes, common) -> None:
    from PIL import Image

    from stages.lib.images.decode import decode
    from stages.lib.images.resizing import STRETCH
    from stages.lib.networks.build import feature_extractor

    test = feature_files.read(vectors, "test")
    images = np.stack([decode(three_classes[0] / name, 32, "rgb", STRETCH) for name in test.names[:4]])
    flipped = np.stack([Image.fromarray(one).transpose(Image.Transpose.FLIP_LEFT_RIGHT) for one in images])
    found = feature_extractor(preset, 32, "float32")(flipped.astype(np.float32)).numpy()
    np.testing.assert_allclose(test.mirrored[:4], found, atol=1e-4)


def test_both_heads_are_judged_by_the_same_images(common, monkeypatch) -> None:
    """An image that is alone in its class judges neither: heads that never saw the class know nothing of it."""
    labels = np.array([0] * 10 + [1] * 10 + [2])
    vectors = np.random.default_rng(0).normal(size=(21, 4)).astype(np.float32) + labels[:, np.newaxis]
    train = feature_files.FeatureSet(vectors, labels, [str(index) for index in range(21)])
    monkeypatch.setattr(choice, "FEWEST", 1)
    monkeypatch.setattr(trained, "losses", lambda train, images, *_: np.where(labels[images] == 2, 1000.0, 0.5))
    about = choice.choose(train, np.arange(21), 3, common, params(head="auto")).about
    assert about["judged"] == 20
    assert about["log_loss"]["mlp"] == pytest.approx(0.5)


@pytest.mark.parametrize(("kind", "epoch"), [(None, 0), ("balanced", 1)])
def test_the_epoch_in_which_a_trained_head_is_judged_is_the_best_by_the_loss_that_it_trains_with(
    kind, epoch, common, monkeypatch
) -> None:
    """The first is better for the 18 images of one class, the second for both classes alike."""
    labels = np.array([0] * 18 + [1] * 2)
    train = feature_files.FeatureSet(np.ones((20, 4), np.float32), labels, [str(index) for index in range(20)])
    by_epoch, turns = np.array([[0.1, 3.0], [0.5, 1.0]]), itertools.count()
    monkeypatch.setattr(trained, "_losses", lambda head, vectors, own: by_epoch[next(turns) % 2][own])
    asked = params(epochs=2, class_weights=kind)
    found = trained.losses(train, np.arange(20), np.arange(20), 2, common, asked)
    np.testing.assert_array_equal(found, by_epoch[epoch][labels])
