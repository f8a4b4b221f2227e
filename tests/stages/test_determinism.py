"""The same training gives the same bytes: processes of their own, each told to be deterministic."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *command: str, **environment: str) -> str:
    variables = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def checksums(folder: Path) -> dict[str, str]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A folder with the parameters of a tiny convnet."""
    folder = tmp_path_factory.mktemp("determinism")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["common"] |= {"image_size": 32, "batch_size": 8}
    params["scratch_augmented"] |= {"filters": [4, 8], "epochs": 2}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


def test_two_processes_leave_the_same_bytes_whatever_else_differs(project, two_classes):
    found = []
    dataset, manifest = map(str, two_classes)
    # Python's own order of sets and dictionaries of strings is another in each.
    for number in ("1", "2"):
        options = ["--dataset", dataset, "--manifest", manifest, "--model", f"{number}/scratch_augmented"]
        command = ["-m", "stages.scratch", "--stage", "scratch_augmented", *options]
        run(project, *command, PYTHONHASHSEED=number)
        found.append(checksums(project / number))
    assert {"scratch_augmented/model.keras", "scratch_augmented/history.csv"} <= set(found[0])
    assert found[0] == found[1]


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
