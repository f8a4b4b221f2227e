"""Scheduled runs on a disk that is full: one line, nothing half-written, and the next run finishes."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.project.git import git
from flows.registry import run_record
from tests.flows.versions_project import accuracy_of, commit_source, remote, saved

pytestmark = pytest.mark.usefixtures("prefect_server", "impatient")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small file system")
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small file system here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


def retrain(project: Path, disk: Path) -> tuple[str, str]:
    from flows.retraining.retrain import retrain

    state = retrain(str(remote(project)), checkout=str(disk / "checkout"), return_state=True)
    return state.name, state.message


def fails(project: Path, disk: Path) -> str:
    name, message = retrain(project, disk)
    assert name == "Failed"
    assert "No space left on device" in message
    assert "\n" not in message
    return message


def test_a_full_disk_fails_in_one_line_and_the_next_run_finishes(project, disk, monkeypatch):
    commit_source(project, 0.8, bytes=3_000_000)
    # Too small for what the stage makes; too small to keep it; large enough, but full when the run is to be saved.
    for size in ("2m", "5m"):
        resize(disk, size)
        assert fails(project, disk).startswith(("train: ", f"{disk}/checkout: "))
    resize(disk, "64m")
    save = run_record.save

    def saving(*arguments):
        filler = (disk / "filler").open("wb", buffering=0)
        with filler, pytest.raises(OSError, match="No space left"):
            while True:
                filler.write(bytes(1 << 12))
        return save(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(run_record, "save", saving)
        assert fails(project, disk).startswith("git ")
    assert not [run for run in saved(project) if run != ("failed", None)]
    (disk / "filler").unlink()
    assert retrain(project, disk)[0] == "Promoted"
    assert saved(project)[0] == ("trained", "promoted")
    assert saved(project).count(("trained", "promoted")) == 1
    # Whoever saved what has been made did not make it again.
    assert (disk / "checkout" / ".smallset" / "starts").read_text().splitlines()[-1] == "0"
    assert accuracy_of(disk / "checkout" / "models" / "classifier") == 0.8
    git("fsck", "--strict", folder=disk / "checkout")
