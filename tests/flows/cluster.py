"""A Dask cluster on this machine: a scheduler, and workers that each stand in a git clone of their own."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.project.git import git


@contextmanager
def process(*arguments: str, folder: Path) -> Iterator[subprocess.Popen]:
    """`dask ...`, as one runs it; what it writes is in `<folder>.log`."""
    with folder.with_name(f"{folder.name}.log").open("w") as log:
        started = subprocess.Popen([sys.executable, "-m", "dask", *arguments], cwd=folder, stdout=log, stderr=log)
    try:
        yield started
    finally:
        started.terminate()
        started.wait()


@contextmanager
def scheduler(folder: Path) -> Iterator[str]:
    """Its address."""
    folder.mkdir()
    file = folder / "scheduler.json"
    arguments = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    with process("scheduler", *arguments, folder=folder):
        deadline = time.monotonic() + 60
        while not file.exists() or not file.read_text():
            assert time.monotonic() < deadline, folder.with_name(f"{folder.name}.log").read_text()
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"]


@contextmanager
def worker(address: str, clone: Path, *more: str) -> Iterator[subprocess.Popen]:
    """A worker that stands in a clone."""
    scratch = clone.with_name(f"{clone.name}-scratch")
    arguments = (
        "--host",
        "127.0.0.1",
        "--no-dashboard",
        "--local-directory",
        str(scratch),
        *(more or ("--nthreads", "1")),
    )
    with process("worker", address, *arguments, folder=clone) as started:
        yield started


@contextmanager
def cluster(project: Path, names: tuple[str, ...] = ("one", "two")) -> Iterator[str]:
    """A scheduler with a worker in a clone of the project for each name; its address."""
    with ExitStack() as stack:
        address = stack.enter_context(scheduler(project.with_name("scheduler")))
        for name in names:
            clone = project.with_name(name)
            git("clone", "--quiet", str(project), str(clone), folder=project)
            stack.enter_context(worker(address, clone))
        yield address
