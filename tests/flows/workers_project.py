"""A toy project whose two trainings end only if they run side by side; for tests of workers."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from flows.project.git import git

NAMES = ("download", "train@x", "train@y", "print", "sum")
MEET = """
import pathlib, sys, time
name, other, place = sys.argv[1:]
pathlib.Path(place, name).touch()
deadline = time.monotonic() + 60
while not pathlib.Path(place, other).exists():
    assert time.monotonic() < deadline, "the other one does not run at the same time"
    time.sleep(0.05)
"""


def stages(place: Path) -> dict:
    """`x` and `y` end only if they run side by side; `place`: where they meet."""
    return {
        "download": {"cmd": "cp images/own data.zip", "deps": ["images"], "outs": ["data.zip"]},
        "train": {
            "foreach": {"x": "y", "y": "x"},
            "do": {
                "cmd": f"echo training ${{key}} && python meet.py ${{key}} ${{item}} {place} && mkdir -p m/${{key}} && "
                "cp params.yaml m/${key}/kept && cp data.zip m/${key}/figures",
                "deps": ["data.zip", "meet.py"],
                "params": ["epochs"],
                "outs": ["m/${key}/kept"],
                "metrics": [{"m/${key}/figures": {"cache": False}}],
            },
        },
        # Reads what a worker has made, and what only this workspace has.
        "print": {"cmd": "cat m/y/kept images/own > print", "deps": ["m/y/kept", "images/own"], "outs": ["print"]},
        "sum": {
            "cmd": "cat m/x/figures m/y/kept > sum",
            "deps": ["m/x", "m/y/kept"],
            "outs": [{"sum": {"cache": False}}],
        },
    }


def dvc(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def prepare(project: Path) -> Path:
    """Commit a project of these stages, with a remote and images that are not committed."""
    tmp_path = project.parent
    (tmp_path / "meeting").mkdir()
    (tmp_path / "storage").mkdir()
    (project / ".dvc" / ".gitignore").write_text("/tmp\n/cache\n/config.local\n")
    dvc("remote", "add", "--default", "storage", str(tmp_path / "storage"))
    (project / ".gitignore").write_text("/.smallset/\n/images/*\n")
    (project / "params.yaml").write_text("epochs: 1\n")
    (project / "meet.py").write_text(MEET)
    (project / "images").mkdir()
    (project / "images" / "own").write_text("1")
    git("config", "user.name", "Somebody")
    git("config", "user.email", "somebody@example.com")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Start")
    return project


def run(workers: str | None = None) -> dict[str, str]:
    from flows.run.pipeline import run_pipeline

    return {result.name: result.reason or str(result.outcome) for result in run_pipeline(None, workers)}


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_for_go(project: Path) -> None:
    """Let each training wait for `go` instead of for the other one."""
    meet = MEET.replace("other, place = ", "_, place = ").replace("place, other", "place, 'go'")
    (project / "meet.py").write_text(meet)
    git("commit", "--quiet", "--all", "--message", "Wait")


def at_work(folder: Path) -> list[psutil.Process]:
    """The trainings in a clone."""
    found = []
    for one in psutil.process_iter(["cmdline", "cwd"]):
        if one.info["cwd"] == str(folder) and "meet.py" in (one.info["cmdline"] or []):
            found.append(one)
    return found
