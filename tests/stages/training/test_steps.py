"""Few images get as many steps as many do."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.lib.training.batches import passes
from stages.lib.training.epoch_callback import EpochCallback
from stages.scratch import scratch
from tests.stages.model_runs import scratch_params, summary

pytestmark = pytest.mark.usefixtures("elsewhere")


@pytest.mark.parametrize(
    ("count", "epochs", "min_steps", "expected"),
    [(40, 10, 300, 30), (40, 10, None, 1), (64 * 30, 10, 300, 1), (64 * 30, 10, 301, 2), (65, 10, 300, 15)],
)
def test_an_epoch_goes_over_few_images_several_times(count, epochs, min_steps, expected):
    assert passes(count, 64, epochs, min_steps) == expected


def test_all_epochs_together_have_the_steps_that_are_asked_for_also_when_resumed(
    two_classes, common, variation, tmp_path, monkeypatch, capsys
):
    params = scratch_params(epochs=3, min_steps=20, augmentation=variation, dropout=0.25, schedule="cosine")
    counted: list[int] = []
    after_step, after_epoch = EpochCallback.on_train_batch_end, EpochCallback.on_epoch_end

    def count(self, batch, logs=None):
        after_step(self, batch, logs)
        counted.append(int(self.model.optimizer.iterations))

    monkeypatch.setattr(EpochCallback, "on_train_batch_end", count)
    scratch(*two_classes, tmp_path / "whole" / "scratch", common, params, "scratch")
    # 24 images are 3 batches of 8: three times over them in each of three epochs.
    assert counted[-1] == 27
    assert summary(tmp_path / "whole" / "scratch")["epochs"] == 3
    assert "24 images; an epoch goes over them 3 times, so that it has 9 steps" in capsys.readouterr().out

    def interrupted(self, epoch, logs=None):
        after_epoch(self, epoch, logs)
        if epoch == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(EpochCallback, "on_epoch_end", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scratch(*two_classes, tmp_path / "resumed" / "scratch", common, params, "scratch")
    monkeypatch.setattr(EpochCallback, "on_epoch_end", after_epoch)
    scratch(*two_classes, tmp_path / "resumed" / "scratch", common, params, "scratch")
    assert counted[-1] == 27
    np.testing.assert_allclose(*(_history(tmp_path / way) for way in ("whole", "resumed")), rtol=1e-4)


def _history(folder: Path) -> np.ndarray:
    return pd.read_csv(folder / "scratch" / "history.csv").to_numpy()
