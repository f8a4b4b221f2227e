"""The same training gives the same bytes: processes of their own, each told to be deterministic."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.stages.checksums import checksums

ROOT = Path(__file__).resolve().parents[2]


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
    params["backbone"]["pretraining"] |= {"pictures_per_class": 2, "epochs": 1}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


def run_twice(project: Path, output: str, *command: str) -> list[dict[str, str]]:
    """Checksums of what each of two processes left in `output`, a folder of the project."""
    found = []
    # Python's own order of sets and dictionaries of strings is another in each.
    for number in ("1", "2"):
        run(project, "-m", *command, PYTHONHASHSEED=number)
        found.append(checksums((project / output).rename(project / f"{output}-{number}")))
    return found


def test_a_training_leaves_the_same_bytes_whatever_else_differs(project, two_classes):
    dataset, manifest = map(str, two_classes)
    options = ["--dataset", dataset, "--manifest", manifest, "--model", "scratch_augmented"]
    first, second = run_twice(project, "scratch_augmented", "stages.scratch", "--stage", "scratch_augmented", *options)
    assert {"model.keras", "history.csv"} <= set(first)
    assert first == second


def test_a_backbone_of_drawings_has_the_same_bytes_each_time(project):
    first, second = run_twice(project, "preset", "stages.backbone", "--preset", "preset", "--pixels", "size.json")
    assert "model.weights.h5" in first
    assert first == second


def test_deterministic_reaches_tensorflow(tmp_path):
    """A random operation without a seed is what TensorFlow refuses then."""
    code = """
from stages.lib.startup import start_tensorflow
start_tensorflow(True)
import tensorflow as tf
try:
    tf.random.normal([1])
    print("drawn")
except RuntimeError as error:
    print("refused")
"""
    assert run(tmp_path, "-c", code).split() == ["refused"]
