"""A project of an earlier version, with a run, saved runs and parameters of its own, brought up to this one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flows.project.git import GitError, git
from flows.project.parameters import load
from tests.flows.upstream.test_upgrade import ROOT

EARLIER = "9019465"
OFF = ("backbone", "features", "feature_extraction", "feature_extraction_augmented", "scratch_augmented", "fine_tuned")


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A clone that has never been upgraded: small parameters of its own, one run by its own code, saved."""
    folder = tmp_path / "birds"
    try:
        git("clone", "--quiet", "--no-tags", str(ROOT), str(folder), folder=tmp_path)
        git("checkout", "--quiet", "-B", "main", EARLIER, folder=folder)
    except GitError:
        pytest.skip(f"the commit {EARLIER} is not here")
    text = (folder / "params.yaml").read_text()
    for section in (*OFF, "labels"):
        text = re.sub(rf"(\n{section}:\n +enabled: )true", r"\1false", text)
    for key, value in {"image_size": 48, "sample_per_class": 40, "near_duplicates": 6}.items():
        text = re.sub(rf"( {key}: )\S+", rf"\g<1>{value}", text, count=1)
    text = text.replace("scratch:\n  enabled: true", "scratch:\n  enabled: true  # the only one for our birds")
    (folder / "params.yaml").write_text(re.sub(r"(epochs: )30", r"\g<1>1", text, count=1))
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--all", "--message", "Ours", folder=folder)
    done = smallset("run", "--save", folder=folder, code=folder)
    if "expected" in done.stderr and "version" in done.stderr:
        pytest.skip(f"that version runs with other libraries: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def smallset(*words: str, folder: Path, code: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-m", "flows.cli", *words]
    environment = os.environ | {"PYTHONPATH": str(code)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_project_of_an_earlier_version_becomes_one_of_this(earlier: Path, tmp_path: Path) -> None:
    results = {path: (earlier / path).read_text() for path in ("dvc.lock", "data/split.json")}
    changed = git("diff", "--name-only", folder=earlier).splitlines()
    assert len(changed) > 30  # what `git pull` would refuse for
    # It has no such command itself.
    done = smallset("--project", "birds", "upgrade", "--from", str(ROOT), folder=tmp_path, code=ROOT)
    assert done.returncode == 0, done.stderr
    assert {path: (earlier / path).read_text() for path in results} == results
    params = load((earlier / "params.yaml").read_text())
    assert (params["common"]["image_size"], params["download"]["sample_per_class"]) == (48, 40)
    assert params["split"]["near_duplicates"] == 6
    assert "split.near_duplicates: yours stays, 6; the default went from 4 to" in done.stdout
    assert "labels.enabled: gone, and yours was false" in done.stdout
    assert "to do: " not in done.stdout
    assert not git("diff", "--name-only", "HEAD", folder=earlier)
    assert not (earlier / "metrics").exists()
    assert re.search(r"│ 20\d+T\d+Z-\w+ ", smallset("history", folder=earlier, code=ROOT).stdout)
    assert "scratch" in smallset("status", folder=earlier / "stages", code=ROOT).stdout
