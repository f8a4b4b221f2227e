"""The real dvc.yaml, on tiny parameters: two workers in clones of their own give the dvc.lock of a single workspace."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.project.git import git
from tests.flows.cluster import cluster
from tests.test_pipeline import make_project

pytestmark = pytest.mark.slow


def smallset(folder: Path, server: str, *arguments: str) -> tuple[float, dict[str, dict]]:
    """Run it; seconds, and the record of each stage."""
    started = time.monotonic()
    environment = os.environ | {"PREFECT_API_URL": server}
    subprocess.run([sys.executable, "-m", "flows.cli", *arguments], cwd=folder, env=environment, check=True)
    record = json.loads((folder / ".smallset" / "run.json").read_text())
    return time.monotonic() - started, {stage["name"]: stage for stage in record["stages"]}


def test_two_workers_give_the_lock_file_of_one_workspace(tmp_path, prefect_server):
    project = make_project(tmp_path / "project")
    remote = ("remote", "add", "--quiet", "--default", "storage", str(tmp_path / "storage"))
    subprocess.run([sys.executable, "-m", "dvc", *remote], cwd=project, check=True)
    author = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    git(*author, "commit", "--quiet", "--all", "--message", "A remote", folder=project)
    single = tmp_path / "single"
    shutil.copytree(project, single)
    alone, here = smallset(single, prefect_server, "run")
    with cluster(project) as address:
        together, there = smallset(project, prefect_server, "run", "--workers", address)
    assert {stage["outcome"] for stage in there.values()} == {"ran"}
    print(f"{alone:.0f} s in one workspace, {together:.0f} s on two workers of the same machine")
    for name, stage in there.items():
        print(f"{name}: {here[name]['seconds']} s, {stage['seconds']} s")
    assert (project / "dvc.lock").read_bytes() == (single / "dvc.lock").read_bytes()
    changed = git("status", "--porcelain", folder=project), git("status", "--porcelain", folder=single)
    assert changed[0] == changed[1]
