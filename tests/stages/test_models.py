"""The five model stages on tiny images, through the real save and load path."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.feature_extraction import FeatureExtractionParams, feature_extraction
from stages.feature_extraction_augmented import FeatureExtractionAugmentedParams, feature_extraction_augmented
from stages.features import FeaturesParams, features
from stages.fine_tuned import FineTunedParams, fine_tuned
from stages.lib.arrays.decoded import decode_all
from stages.lib.core.errors import UserError
from stages.lib.core.params import AugmentationParams, CommonParams
from stages.lib.images.manifest import read_subset
from stages.lib.images.resizing import STRETCH
from stages.lib.training import artifact
from stages.scratch import scratch
from tests.stages.checksums import checksums
from tests.stages.model_runs import (
    HEAD,
    PUBLISHED,
    TRAINING,
    backbone_weights,
    load,
    run_stages,
    scratch_params,
    summary,
    tables_of,
)

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory,
    two_classes: tuple[Path, Path],
    preset: Path,
    common: CommonParams,
    variation: AugmentationParams,
) -> Callable[[str], Path]:
    """Runs every stage in a precision, and gives the folder of it."""

    def run(precision: str) -> Path:
        folder = tmp_path_factory.mktemp(precision)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            run_stages(folder, two_classes, preset, common, variation, precision)
        return folder

    return run


@pytest.fixture(scope="module")
def chain(run: Callable[[str], Path]) -> Path:
    return run("float32")


@pytest.fixture(scope="module")
def lower(run: Callable[[str], Path]) -> Path:
    return run("mixed_bfloat16")


def test_the_layers_are_listed_alike_on_any_terminal(monkeypatch):
    import keras

    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="wide_in_a_narrow_terminal")]
    model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(1)])
    found = []
    for columns in ("40", "200", None):
        if columns:
            monkeypatch.setenv("COLUMNS", columns)
        else:
            monkeypatch.delenv("COLUMNS", raising=False)
        found.append(artifact.layers_of(model))
        assert os.environ.get("COLUMNS") == columns
    assert found[0] == found[1] == found[2]
    assert max(map(len, found[0].splitlines())) == 110


def test_scratch_leaves_everything_a_model_has(two_classes, common, variation, tmp_path):
    params = scratch_params(augmentation=variation, dropout=0.25)
    scratch(*two_classes, tmp_path / "scratch_augmented", common, params, "scratch_augmented")
    folder = tmp_path / "scratch_augmented"
    left = {path.name for path in folder.iterdir()}
    assert left == {"model.keras", "history.csv", "summary.json", "summary.txt", "live", "augmented.png"}
    history = pd.read_csv(folder / "history.csv")
    assert list(history) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert history["epoch"].tolist() == [1, 2]
    about = summary(folder)
    assert about["classes"] == ["cat", "dog"]
    assert about["val_loss"] == pytest.approx(history["val_loss"].min())
    assert about["best_epoch"] == history["epoch"][history["val_loss"].idxmin()]
    curves = list((folder / "live").rglob("loss.tsv"))
    assert len(curves) == 2
    assert all(len(pd.read_csv(curve, sep="\t")) == 2 for curve in curves)


def test_scratch_tells_many_classes_apart_in_grey(three_classes, common, tmp_path):
    scratch(*three_classes, tmp_path / "scratch", common, scratch_params(color="grey"), "scratch")
    model, classes = load(tmp_path / "scratch")
    assert classes == ["apple", "pear", "plum"]
    assert model.input_shape == (None, 32, 32, 1)
    np.testing.assert_allclose(model(np.zeros((2, 32, 32, 1))).numpy().sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_any_precision_gives_float32_probabilities(two_classes, common, tmp_path, precision):
    scratch(*two_classes, tmp_path / "scratch", common, scratch_params(precision=precision), "scratch")
    model, _ = load(tmp_path / "scratch")
    assert summary(tmp_path / "scratch")["precision"] == precision
    assert model(np.zeros((2, 32, 32, 3), np.float32)).dtype == "float32"


def test_features_are_cached_for_every_image_in_one_order(chain, two_classes):
    for subset, count in (("train", 24), ("validation", 12), ("test", 12)):
        vectors = np.load(chain / "features" / f"{subset}.npy")
        table = pd.read_csv(chain / "features" / f"{subset}.csv")
        assert vectors.dtype == np.float32
        assert len(vectors) == len(table) == count
        assert table["path"].tolist() == read_subset(*two_classes, subset).names


def test_a_head_on_cached_features_equals_the_whole_model_on_images(chain, two_classes, common, tmp_path):
    whole, _ = load(chain / "feature_extraction")
    test = read_subset(*two_classes, "test")
    images = decode_all(test.paths, common.image_size, "rgb", tmp_path / "overflow", STRETCH)
    x = np.load(chain / "features" / "test.npy")
    for layer in whole.layers[-3:]:
        x = layer(x)
    np.testing.assert_allclose(whole.predict(images.astype(np.float32), verbose=0), x, atol=1e-5)


@pytest.mark.parametrize("name", ["feature_extraction", "feature_extraction_augmented"])
def test_only_the_four_tensors_of_the_head_train(chain, preset, name):
    model, _ = load(chain / name)
    assert summary(chain / name)["trainable_tensors"] == 4
    from stages.lib.networks.build import load_backbone

    original = {weight.path: weight.numpy() for weight in load_backbone(preset, "float32")[0].weights}
    for path, weight in backbone_weights(model).items():
        np.testing.assert_array_equal(weight, original[path], err_msg=path)


def test_fine_tuning_changes_all_but_batch_normalisation(chain):
    before, after = (backbone_weights(load(chain / name)[0]) for name in ("feature_extraction_augmented", "fine_tuned"))
    frozen = {"gamma", "beta", "moving_mean", "moving_variance"}
    for path, weight in after.items():
        changed = not np.array_equal(weight, before[path])
        assert changed != (path.rpartition("/")[2] in frozen), path
    trained = sum(path.rpartition("/")[2] not in frozen for path in after)
    assert summary(chain / "fine_tuned")["trainable_tensors"] == trained + 4


def test_fine_tuning_can_stop_after_the_last_layers(chain, two_classes, common, tmp_path):
    values = TRAINING | {"augmentation": None, "precision": "mixed_bfloat16"} | PUBLISHED | {"unfreeze": 2}
    start = chain / "feature_extraction_augmented"
    fine_tuned(*two_classes, tmp_path, start, tmp_path / "fine_tuned", common, FineTunedParams.model_validate(values))
    before, after = (backbone_weights(load(folder)[0]) for folder in (start, tmp_path / "fine_tuned"))
    changed = [path for path in after if not np.array_equal(after[path], before[path])]
    assert 2 <= len(changed) <= 4
    assert list(after).index(changed[0]) > len(after) // 2


def test_what_was_made_with_other_classes_is_not_trained_on(chain, three_classes, preset, common, tmp_path):
    """`dvc repro --single-item` takes what is there: the third class would be a label of a model of two."""
    start, gentle = chain / "feature_extraction_augmented", TRAINING | {"augmentation": None, "precision": "float32"}
    expected = r"expected the classes of the images: apple, pear, plum\. Received: cat, dog; "
    with pytest.raises(UserError, match=rf"feature_extraction_augmented: {expected}"):
        fine_tuned(
            *(*three_classes, tmp_path, start, tmp_path / "fine_tuned", common),
            FineTunedParams.model_validate(gentle | PUBLISHED),
        )
    with pytest.raises(UserError, match=rf"features: {expected}"):
        feature_extraction_augmented(
            *(*three_classes, chain / "features", preset, tmp_path / "augmented", common),
            FeatureExtractionAugmentedParams.model_validate(gentle | HEAD),
        )
    assert not any(tmp_path.glob("*/model.keras"))


def test_a_validation_of_cached_features_is_that_of_images(chain, two_classes, common, tmp_path):
    model, _ = load(chain / "feature_extraction_augmented")
    validation = read_subset(*two_classes, "validation")
    images = decode_all(validation.paths, common.image_size, "rgb", tmp_path / "overflow", STRETCH)
    probability = model.predict(images.astype(np.float32), verbose=0)[:, 0].astype(float)
    right = np.where(validation.labels == 1, probability, 1 - probability)
    expected = summary(chain / "feature_extraction_augmented")["val_loss"]
    assert -np.log(right).mean() == pytest.approx(expected, rel=1e-3)


def test_a_stage_that_is_turned_off_says_so_and_stops_what_needs_it(preset, two_classes, common, tmp_path):
    off = FeaturesParams(enabled=False, batch_size=8, precision="float32", mirror=False)
    features(tmp_path, tmp_path, preset, tmp_path, tmp_path / "features", common, off)
    assert "features.enabled" in (tmp_path / "features" / "disabled.txt").read_text()
    params = FeatureExtractionParams.model_validate(TRAINING | HEAD | {"head": "mlp"})
    with pytest.raises(UserError, match=r"features\.enabled"):
        feature_extraction(*tables_of(tmp_path / "features", two_classes), preset, tmp_path / "model", common, params)


@pytest.mark.slow
def test_a_chosen_precision_gives_what_asking_for_it_gives(
    lower, two_classes, preset, common, variation, tmp_path, monkeypatch
):
    # Measured as ever; the outcome is made sure of.
    monkeypatch.setattr("stages.lib.networks.precision._CLEARLY", 0)
    run_stages(tmp_path, two_classes, preset, common, variation, "auto")
    found = checksums(lower)
    assert len(found) > 30
    assert checksums(tmp_path) == found


@pytest.mark.parametrize("name", ["scratch", "feature_extraction", "feature_extraction_augmented", "fine_tuned"])
def test_a_saved_model_computes_in_the_precision_that_it_was_trained_in(lower, two_classes, common, tmp_path, name):
    """Its loss on the validation images is that of its summary."""
    model, _ = load(lower / name)
    validation = read_subset(*two_classes, "validation")
    images = decode_all(validation.paths, common.image_size, "rgb", tmp_path / "overflow", STRETCH)
    probability = model.predict(images.astype(np.float32), verbose=0)[:, 0].astype(float)
    right = np.where(validation.labels == 1, probability, 1 - probability)
    about = summary(lower / name)
    assert about["precision"] == "mixed_bfloat16"
    assert -np.log(right).mean() == pytest.approx(about["val_loss"], rel=2e-3)
