"""`flows.planning.look`: which images the look is of."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from flows.planning import look as looking

URL = {"source": "url", "url": "https://host/a.zip", "sha256": None}


@pytest.fixture
def commands(tmp_path, monkeypatch) -> list[list[str]]:
    """The looks that were started, none of which looks."""
    started: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        started.append(command)
        found = {"images": None, "preset": None, "no_preset": None}
        Path(command[command.index("--output") + 1]).write_text(json.dumps(found))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(looking.subprocess, "run", run)
    Path("data").mkdir()
    looking.RAW.write_bytes(b"1234")
    return started


def write_lock(download: dict[str, str | None], size: int = 4) -> None:
    out = {"path": "data/raw.zip", "md5": "0" * 32, "size": size}
    entry = {"cmd": "x", "params": {"params.yaml": {"download": download}}, "outs": [out]}
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": {"download": entry}}))


def test_an_archive_that_is_of_the_address_is_not_fetched_again(commands):
    write_lock(URL | {"max_hours": 1})
    looking.look(yaml.safe_dump({"download": URL | {"max_hours": 2}}), known=True)
    assert commands[0][-2:] == ["--archive", str(looking.RAW)]


@pytest.mark.parametrize(
    ("last", "size"),
    [
        (None, 4),
        ({"source": "sample", "url": None, "sha256": None}, 4),
        (URL | {"url": "https://host/b.zip"}, 4),
        (URL | {"sha256": "0" * 64}, 4),
        (URL, 5),
    ],
)
def test_an_archive_of_other_images_is_not_taken_for_those_of_the_address(commands, last, size):
    """A run that ended between params.yaml and its first stage has left that of the run before."""
    if last is not None:
        write_lock(last, size)
    looking.look(yaml.safe_dump({"download": URL}), known=True)
    assert "--archive" not in commands[0]
