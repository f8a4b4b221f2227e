"""How a training goes: its best epoch, its end, an interruption; through the stage `scratch`."""

from contextlib import nullcontext

import keras
import numpy as np
import pandas as pd
import pytest

from stages.lib.arrays.decoded import decode_all
from stages.lib.core.errors import UserError
from stages.lib.images.manifest import read_subset
from stages.lib.images.resizing import STRETCH
from stages.scratch import scratch
from tests.stages.model_runs import ended_after_the_first_epoch, load, scratch_params, summary

pytestmark = pytest.mark.usefixtures("elsewhere")


def test_the_saved_model_is_the_best_epoch_on_the_validation_images(two_classes, common, tmp_path):
    scratch(*two_classes, tmp_path / "scratch", common, scratch_params(epochs=6, learning_rate=0.2), "scratch")
    model, classes = load(tmp_path / "scratch")
    validation = read_subset(*two_classes, "validation")
    images = decode_all(validation.paths, common.image_size, "rgb", tmp_path / "overflow", STRETCH)
    probability = model.predict(images.astype(np.float32), verbose=0)[:, 0].astype(float)
    right = np.where(validation.labels == 1, probability, 1 - probability)
    assert classes == ["cat", "dog"]
    assert -np.log(right.clip(1e-7)).mean() == pytest.approx(summary(tmp_path / "scratch")["val_loss"], rel=1e-3)


@pytest.mark.parametrize("at_once", [None, 3])
def test_an_interrupted_training_goes_on_as_if_it_never_stopped(
    two_classes, common, variation, tmp_path, monkeypatch, at_once
):
    from stages.lib.training import image_training
    from stages.lib.training.epoch_callback import EpochCallback

    monkeypatch.setattr(image_training, "images_at_once", lambda *_: at_once)
    params = scratch_params(epochs=4, augmentation=variation, dropout=0.25)
    scratch(*two_classes, tmp_path / "whole" / "scratch", common, params, "scratch")

    seen: list[int] = []
    end_of_epoch = EpochCallback.on_epoch_end

    def interrupted(self, epoch, logs=None):
        end_of_epoch(self, epoch, logs)
        seen.append(epoch)
        if seen == [0, 1]:
            raise KeyboardInterrupt

    monkeypatch.setattr(EpochCallback, "on_epoch_end", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scratch(*two_classes, tmp_path / "resumed" / "scratch", common, params, "scratch")
    assert not (tmp_path / "resumed" / "scratch").exists()
    scratch(*two_classes, tmp_path / "resumed" / "scratch", common, params, "scratch")
    assert seen == [0, 1, 2, 3]
    whole, resumed = (pd.read_csv(tmp_path / way / "scratch" / "history.csv") for way in ("whole", "resumed"))
    pd.testing.assert_frame_equal(whole, resumed, rtol=1e-4)
    assert not list((tmp_path / ".smallset" / "training").iterdir())


def test_another_parameter_starts_another_training(two_classes, common, tmp_path):
    from stages.lib.training.checkpoints import Checkpoints

    first = Checkpoints("scratch", [common, scratch_params()], [two_classes[1]])
    (first.directory / "epoch-00001").mkdir()
    other_stage = Checkpoints("scratch_augmented", [common, scratch_params()], [two_classes[1]])
    second = Checkpoints("scratch", [common, scratch_params(epochs=3)], [two_classes[1]])
    assert second.directory != first.directory
    assert not first.directory.exists()
    assert other_stage.directory.exists()


def test_early_stopping_ends_after_epochs_without_improvement(two_classes, common, tmp_path):
    params = scratch_params(epochs=30, learning_rate=0.5, early_stopping=2)
    scratch(*two_classes, tmp_path / "scratch", common, params, "scratch")
    about = summary(tmp_path / "scratch")
    assert about["epochs"] == about["best_epoch"] + 2 < 30


def test_a_diverging_training_is_one_clear_error(two_classes, common, tmp_path):
    with pytest.raises(UserError, match=r"scratch\.learning_rate"):
        scratch(*two_classes, tmp_path / "scratch", common, scratch_params(learning_rate=1e30), "scratch")
    assert not (tmp_path / "scratch").exists()


def test_the_same_training_leaves_the_same_files(two_classes, common, variation, tmp_path):

    params = scratch_params(augmentation=variation)
    for way in ("one", "two"):
        # As in a process of its own: Keras numbers the layers of a process.
        keras.utils.clear_session()
        scratch(*two_classes, tmp_path / way / "scratch", common, params, "scratch")
    for file in ("model.keras", "history.csv", "summary.json", "summary.txt", "augmented.png"):
        one, two = ((tmp_path / way / "scratch" / file).read_bytes() for way in ("one", "two"))
        assert one == two, file


def test_a_training_that_goes_on_keeps_its_precision(two_classes, common, tmp_path, monkeypatch):
    params = scratch_params(precision="auto")
    with monkeypatch.context() as patch:
        patch.setattr("stages.lib.networks.precision._CLEARLY", 0)
        with ended_after_the_first_epoch():
            scratch(*two_classes, tmp_path / "scratch", common, params, "scratch")
    monkeypatch.setattr("stages.lib.networks.precision._CLEARLY", np.inf)
    scratch(*two_classes, tmp_path / "scratch", common, params, "scratch")
    assert summary(tmp_path / "scratch")["precision"] == "mixed_bfloat16"
    assert summary(tmp_path / "scratch")["epochs"] == 2


@pytest.mark.parametrize("library", ["tensorflow", "keras", "keras-hub", "pillow", "pi-heif"])
def test_another_version_of_a_library_is_another_training(library, two_classes, common, elsewhere, monkeypatch):
    """Those that read images, too: images that are decoded already lie beside the state."""
    from stages.lib.training import checkpoints

    first = checkpoints.Checkpoints("scratch", [common], [two_classes[1]])
    found = checkpoints.version
    monkeypatch.setattr(checkpoints, "version", lambda name: "0" if name == library else found(name))
    assert checkpoints.Checkpoints("scratch", [common], [two_classes[1]]).directory != first.directory


@pytest.mark.parametrize(("learning_rate", "error"), [(1e30, UserError), (0.01, KeyboardInterrupt), (0.01, None)])
def test_the_curves_end_however_the_training_ends(two_classes, common, tmp_path, monkeypatch, learning_rate, error):
    from dvclive import Live

    from stages.lib.training import epoch_callback

    ended: list[bool] = []
    end = Live.end
    monkeypatch.setattr(Live, "end", lambda self: (end(self), ended.append(True)))
    if error is KeyboardInterrupt:
        monkeypatch.setattr(epoch_callback, "log_epoch", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    params = scratch_params(epochs=1, learning_rate=learning_rate)
    with nullcontext() if error is None else pytest.raises(error):
        scratch(*two_classes, tmp_path / "scratch", common, params, "scratch")
    assert ended == [True]
