"""A version through a remote that speaks S3: a server on this machine, with DVC's own client."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from flows.project.git import git
from flows.registry import publish, saved_runs
from flows.registry.saved_runs import Workspace
from tests.flows.versions_project import accuracy_of, clone, dvc, make_project, repro


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server with an empty bucket `models`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in {
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                # The only request that this server takes without a signature.
                requests.put(f"{address}/models", timeout=5).raise_for_status()
                break
            except requests.RequestException:
                assert server.poll() is None, "the server did not start"
                assert time.monotonic() < deadline
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()


def test_a_run_goes_to_a_bucket_and_comes_back_in_another_clone(s3, tmp_path):
    project = make_project(tmp_path / "project")
    dvc("remote", "add", "--default", "bucket", "s3://models/birds", folder=project)
    dvc("remote", "modify", "bucket", "endpointurl", s3, folder=project)
    git("commit", "--quiet", "--all", "--message", "A bucket", folder=project)
    git("push", "--quiet", "origin", "main", folder=project)
    repro(project, 0.8)
    saved_runs.save({"id": "1"}, Workspace(project, "main"), "Run 1")
    publish.publish(Workspace(project, "main"))
    other = clone(project, "other")
    git("checkout", "--quiet", "run/1", folder=other)
    dvc("pull", folder=other)
    assert accuracy_of(other / "models" / "classifier") == 0.8
    assert "up to date" in dvc("status", folder=other)
