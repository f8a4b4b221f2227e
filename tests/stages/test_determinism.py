"""The same training gives the same bytes: processes of their own, each told to be deterministic."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.stages.checksums import checksums

ROOT = Path(__file__).resolve().parents[2]


OTHER_SETTINGS = {"floatx": "float64", "epsilon": 0.1, "backend": "jax", "image_data_format": "channels_first"}


def write_settings(home: Path, **settings) -> None:
    home.mkdir(exist_ok=True)
    (home / "keras.json").write_text(json.dumps(settings))


def run(folder: Path, *command: str, **environment: str) -> str:
    variables = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A folder with the parameters of a tiny convnet and of a backbone from a few drawings."""
    folder = tmp_path_factory.mktemp("determinism")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["common"] |= {"image_size": 32, "batch_size": 8}
    params["scratch_augmented"] |= {"filters": [4, 8], "epochs": 2}
    params["backbone"]["pretraining"] |= {"images_per_class": 2, "epochs": 1}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


def run_twice(project: Path, output: str, *command: str) -> list[dict[str, str]]:
    """Checksums of what each of two processes left in `output`, a folder of the project."""
    found = []
    # Python's own order of sets and dictionaries of strings is another in each, and so is what a person has told Keras.
    other = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1", "KERAS_BACKEND": ""}
    for number, environment in (("1", {}), ("2", other)):
        home = project / f"keras-{number}"
        write_settings(home, **({} if number == "1" else OTHER_SETTINGS))
        run(project, "-m", *command, PYTHONHASHSEED=number, KERAS_HOME=str(home), **environment)
        found.append(checksums((project / output).rename(project / f"{output}-{number}")))
    return found


def test_a_training_leaves_the_same_bytes_whatever_else_differs(project, two_classes):
    dataset, manifest = map(str, two_classes)
    options = ["--dataset", dataset, "--manifest", manifest, "--model", "scratch_augmented"]
    first, second = run_twice(project, "scratch_augmented", "stages.scratch", "--stage", "scratch_augmented", *options)
    assert {"model.keras", "history.csv"} <= set(first)
    assert first == second


@pytest.mark.slow
def test_a_backbone_of_drawings_has_the_same_bytes_each_time(project):
    options = ["--preset", "preset", "--pixels", "size.json", "--cautions", "cautions.json"]
    options += ["--candidates", "none", "--comparison", "comparison.json", "--known", "known"]
    first, second = run_twice(project, "preset", "stages.backbone", *options)
    assert "model.weights.h5" in first
    assert first == second


START = """
import sys
from stages.lib.core.errors import UserError
from stages.lib.networks.startup import start_tensorflow
try:
    start_tensorflow(True)
except UserError as error:
    sys.exit(print(f"error: {error}"))
import keras
of = keras.config
print(of.backend(), of.floatx(), of.dtype_policy().name, of.epsilon(), of.image_data_format(), of.max_epochs())
import tensorflow as tf
try:
    tf.random.normal([1])
except RuntimeError:
    print("refused")
"""
OURS = "tensorflow float32 float32 1e-07 channels_last None\n"


def test_settings_are_ours_whatever_keras_was_told(tmp_path):
    """A random operation without a seed is what a deterministic TensorFlow refuses."""
    write_settings(tmp_path, **OTHER_SETTINGS)
    told = {"KERAS_BACKEND": "", "KERAS_MAX_EPOCHS": "3"}
    assert run(tmp_path, "-c", START, KERAS_HOME=str(tmp_path), **told) == f"{OURS}refused\n"


def test_settings_of_keras_that_cannot_be_used_are_one_line(tmp_path):
    write_settings(tmp_path, floatx="float7")
    found = run(tmp_path, "-c", START, KERAS_HOME=str(tmp_path))
    assert found.startswith(f"error: {tmp_path}/keras.json: TensorFlow or Keras cannot use it, delete it: ")
    assert found.count("\n") == 1
    line = "error: KERAS_BACKEND: expected tensorflow, found 'jax': run `unset KERAS_BACKEND`\n"
    assert run(tmp_path, "-c", START, KERAS_BACKEND="jax") == line
