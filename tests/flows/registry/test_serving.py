"""A service of the version in use follows a promotion while it answers."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.project.git import git, resolve
from flows.registry import gto
from tests.flows.versions_project import make_project, save_run
from tests.smallset.conftest import make_bundle
from tests.smallset.service.conftest import image

# Beside what the toy trains lies a real bundle, whose model is called after what was asked for.
TRAIN = """
import shutil
shutil.copytree(os.environ["TOY_BUNDLE"], model, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.keras"))
about = json.loads((model / "classifier.json").read_text())
(model / "classifier.json").write_text(json.dumps(about | {"model": f"accuracy_{source['accuracy']}"}))
"""


@pytest.fixture
def versions(homes: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two saved runs whose classifiers are bundles; the first of them is in use."""
    monkeypatch.setenv("TOY_BUNDLE", str(make_bundle(tmp_path / "bundle")))
    project = make_project(tmp_path / "project")
    with (project / "train.py").open("a") as opened:
        opened.write(TRAIN)
    git("commit", "--quiet", "--all", "--message", "With a bundle", folder=project)
    for name, accuracy in (("one", 0.8), ("two", 0.9)):
        save_run(project, name, accuracy)
    gto.promote(resolve("run/one", project), "first", project)
    monkeypatch.chdir(project)
    return project


@contextmanager
def serving(project: Path) -> Iterator[int]:
    """Port of a service of the version in use."""
    command = [sys.executable, "-P", "-c", "from flows.cli.start import main; main()", "serve", "in-use", "--port", "0"]
    root = Path(__file__).resolve().parents[3]
    environment = {name: value for name, value in os.environ.items() if name != "SMALLSET_TOKEN"}
    environment |= {"PYTHONPATH": str(root), "SMALLSET_PROJECT": str(project)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=project, text=True, env=environment) as service:
        assert service.stdout is not None
        found = re.match(r"http://127\.0\.0\.1:(\d+) ", service.stdout.readline())
        assert found
        yield int(found[1])
        service.send_signal(signal.SIGTERM)
        assert service.wait(20) == 128 + signal.SIGTERM


class Asking(threading.Thread):
    """Asks a service again and again until it is told to stop; what was answered, and when each model was first."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port, self.statuses, self.models, self.stop = port, set[int](), dict[str, float](), threading.Event()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        while not self.stop.is_set():
            connection.request("POST", "/predict", image(), {"Content-Type": "image/png"})
            answer = connection.getresponse()
            self.models.setdefault(json.loads(answer.read())["model"], time.monotonic())
            self.statuses.add(answer.status)


@pytest.mark.slow
def test_a_promoted_version_answers_within_five_seconds_and_no_request_fails(versions: Path) -> None:
    with serving(versions) as port:
        asking = Asking(port)
        asking.start()
        try:
            for name, command in (("0.9", ["promote", "run/two"]), ("0.8", ["rollback"])):
                asking.models.clear()
                start = [sys.executable, "-P", "-c", "from flows.cli.start import main; main()"]
                subprocess.run([*start, *command], cwd=versions, check=True, capture_output=True)
                promoted = time.monotonic()
                while f"accuracy_{name}" not in asking.models:
                    assert time.monotonic() < promoted + 5, "is not in use after five seconds"
                    assert asking.is_alive()
                    time.sleep(0.02)
                print(f"{command[0]}: in use after {asking.models[f'accuracy_{name}'] - promoted:.1f} s")
        finally:
            asking.stop.set()
            asking.join(30)
        assert asking.statuses == {200}
