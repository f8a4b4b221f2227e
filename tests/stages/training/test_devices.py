"""Several devices train as one does; here they are halves of the processor, which TensorFlow takes for two."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from stages.lib.core.errors import UserError
from stages.lib.training import devices

ROOT = Path(__file__).resolve().parents[3]
# TensorFlow must be told of them before it starts: in a process of its own.
SCRIPT = """
import json, os, sys
from pathlib import Path
stage, dataset, manifest, preset = sys.argv[1], *map(Path, sys.argv[2:])
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
[processor] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
from stages.fine_tuned import FineTunedParams, fine_tuned
from stages.lib.networks import build, saved_model
from stages.lib.training import devices
from stages.lib.training.epoch_callback import EpochCallback
from stages.lib.core.params import AugmentationParams, CommonParams
from stages.scratch import ScratchParams, scratch

common = CommonParams(
    seed=3, deterministic=False, image_size=32, batch_size=8, resize="stretch", interpolation="bilinear"
)
varied = dict(
    enabled=True, epochs=2, learning_rate=0.01, schedule="constant", min_steps=5, early_stopping=None,
    class_weights="balanced",
    mirror=False, augmentation=AugmentationParams(flip=True, rotation=0.1, zoom=0.2),
    precision="float32",
)
published = dict(
    start="feature_extraction_augmented", min_images=None, unfreeze="all", lora=None, optimizer="adamw",
    weight_decay=0.01, warmup=0.2, layer_decay=0.5, averaged_epochs=1, moved=0.5, keep="last",
)
network = dict(color="rgb", filters=[4, 8], pooling=True, dropout=0.0)
if stage == "fine_tuned":
    head = build.head_layers(8, "linear", 0.0, 2)
    saved_model.save(build.transfer_model(preset, head, 32, "float32"), Path("start/model.keras"), ["cat", "dog"])

def run(way, names):
    devices.visible = lambda: names
    keras.utils.clear_session()
    if stage == "scratch":
        scratch(dataset, manifest, Path(way), common, ScratchParams(**varied, **network), stage)
    else:
        params = FineTunedParams(**varied, **published)
        fine_tuned(dataset, manifest, Path("none"), Path("start"), Path(way), common, params)

run("one", [])
run("two", ["CPU:0", "CPU:1"])
end_of_epoch = EpochCallback.on_epoch_end
def interrupted(self, epoch, logs=None):
    end_of_epoch(self, epoch, logs)
    raise KeyboardInterrupt
EpochCallback.on_epoch_end = interrupted
try:
    run("resumed", ["CPU:0", "CPU:1"])
except KeyboardInterrupt:
    EpochCallback.on_epoch_end = end_of_epoch
assert not Path("resumed").exists()
run("resumed", ["CPU:0", "CPU:1"])
with devices.sharing(8):
    measured = [devices.measured(*case) for case in ((12, 8), (9, 8), (17, 8), (5, 8))]
    print("RESULTS" + json.dumps({"measured": measured, "trained": devices.trained(25)}))
"""


@pytest.fixture(scope="module", params=["scratch", pytest.param("fine_tuned", marks=pytest.mark.slow)])
def run(request, tmp_path_factory, two_classes, preset) -> tuple[Path, dict]:
    """The folder with what every way of training left, and what the script printed."""
    folder = tmp_path_factory.mktemp("devices")
    (folder / "start").mkdir()
    command = [sys.executable, "-c", SCRIPT, request.param, *map(str, (*two_classes, preset))]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.rpartition("RESULTS")[2])


def history(run: tuple[Path, dict], way: str) -> pd.DataFrame:
    return pd.read_csv(run[0] / way / "history.csv")


def test_two_devices_train_as_one(run):
    for way, count in (("one", 1), ("two", 2)):
        assert json.loads((run[0] / way / "summary.json").read_text())["devices"] == count
    assert len(history(run, "one")) == 2
    pd.testing.assert_frame_equal(history(run, "one"), history(run, "two"), rtol=1e-4)


def test_an_interrupted_training_on_two_devices_goes_on(run):
    pd.testing.assert_frame_equal(history(run, "resumed"), history(run, "two"), rtol=1e-5)


def test_every_device_gets_images_of_every_batch(run):
    # Of 9, eight and one: the one would reach a single device.
    assert run[1] == {"measured": [8, 7, 7, 8], "trained": 24}


def test_one_device_changes_nothing(monkeypatch):
    monkeypatch.setattr(devices, "visible", lambda: ["GPU:0"])
    with devices.sharing(7):
        assert devices.count() == 1
        assert devices.trained(25) == 25
        assert devices.measured(25, 8) == 8


def test_batches_that_cannot_be_shared_are_one_clear_error(monkeypatch):
    monkeypatch.setattr(devices, "visible", lambda: ["GPU:0", "GPU:1", "GPU:2"])
    with pytest.raises(UserError, match=r"common\.batch_size: expected a multiple of 3.* Received: 64"):
        devices.sharing(64)
