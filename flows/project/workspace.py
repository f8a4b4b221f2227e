"""One run at a time in one workspace."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil
from filelock import lock_descriptor

from flows.errors import FlowError

LOCK = Path(".smallset") / "run.lock"
RWLOCK = Path(".dvc") / "tmp" / "rwlock"
MARK = "SMALLSET_WORKSPACE"  # variable of every process that a run starts: the folder it works in
_READS = 5  # of a file that DVC may be writing just now


class AtWork(FlowError):
    """Another run, or a command of DVC, has the workspace."""


def require_project(folder: Path = Path()) -> None:
    """Raise FlowError where a folder, by default the working directory, holds no project."""
    if not (folder / "dvc.yaml").is_file():
        where = f"in {folder}" if folder.name else "here or above"
        raise FlowError(
            f"no project {where} (no dvc.yaml): go into its folder or name it, `smallset --project FOLDER ...`; "
            "`smallset new NAME` makes one"
        )


def takes(lock: IO[str]) -> bool:
    """Whether this process takes a lock, an open file, for itself until it closes it; nobody is waited for."""
    return lock_descriptor(lock.fileno(), blocking=False)


@contextmanager
def exclusive() -> Iterator[None]:
    """Keep every other run out of the project in the working directory while the block runs.

    Raises:
        AtWork: another run or a `dvc` command is at work here.
        FlowError: this is no project.
    """
    require_project()
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open("a+", encoding="utf-8") as lock:
        if not takes(lock):
            raise AtWork(f"another run is at work here ({_holder(lock)}): wait for it or end it")
        lock.truncate(0)
        lock.write(f"process {psutil.Process().pid}")
        lock.flush()
        with alone(Path()):
            _clear_stale_rwlock()
            try:
                yield
            finally:
                _drop_unreadable_rwlock()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """End what a killed run left at work in a folder, and mark what the block starts; within the lock of every run."""
    before, here = os.environ.get(MARK), str(folder.resolve())
    if before != here:
        _end_orphans(here)
    os.environ[MARK] = here
    try:
        yield
    finally:
        os.environ.pop(MARK)
        if before is not None:
            os.environ[MARK] = before


def _end_orphans(here: str) -> None:
    """They would go on for nothing: their run is gone, and the next one starts the same stage again.

    What this process has started itself, in an earlier block, is nobody's orphan.
    """
    own = set(psutil.Process().children(recursive=True))
    orphans = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            # A process shows the variables that it was started with: this one has no mark.
            if process not in own and process.environ().get(MARK) == here and is_counted_here(process):
                orphans.append(process)
    for process in orphans:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(orphans, timeout=10)


def is_counted_here(process: psutil.Process) -> bool:
    """Whether a process is not one of a container, seen from outside: there, folders and numbers mean others.

    Raises:
        OSError: it may not be looked at, or has ended.
    """
    return _numbering(str(process.pid)) == _numbering("self")


def _numbering(process: str) -> str:
    return str(Path(f"/proc/{process}/ns/pid").readlink()) if sys.platform == "linux" else ""


def _holder(lock: Any) -> str:
    lock.seek(0)
    try:
        return lock.read().strip() or "process unknown"
    except PermissionError:
        # On Windows nobody reads what another one has locked.
        return "process unknown"


def _clear_stale_rwlock() -> None:
    """Remove the list of DVC's users of files if all of them are gone: an ended run may leave it, whole or not."""
    for pid, command in _users(_read_rwlock() or {}):
        if _is_at_work(pid, command):
            raise AtWork(f"a dvc command is at work here (process {pid}: {command}): wait for it or end it")
    RWLOCK.unlink(missing_ok=True)


def _drop_unreadable_rwlock() -> None:
    """Remove that list where a DVC was ended while it wrote there: no command of DVC would work any more."""
    if _read_rwlock() is None:
        RWLOCK.unlink(missing_ok=True)


def _read_rwlock() -> dict[str, Any] | None:
    """DVC's list of the users of files; None where it is cut off."""
    for _ in range(_READS):
        try:
            content = json.loads(RWLOCK.read_text(encoding="utf-8"))
            return content if isinstance(content, dict) else {}
        except FileNotFoundError:
            return {}
        except ValueError:
            time.sleep(0.1)
    return None


def _users(rwlock: dict[str, Any]) -> Iterator[tuple[int, str]]:
    writers = list(rwlock.get("write", {}).values())
    readers = [reader for found in rwlock.get("read", {}).values() for reader in found]
    for user in writers + readers:
        if user:
            yield user["pid"], user["cmd"]


def _is_at_work(pid: int, command: str) -> bool:
    """Whether the process is there and still the one that was written down: numbers of processes are used again."""
    try:
        now = psutil.Process(pid).cmdline()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    arguments = command.split()[1:]
    return " ".join(now).endswith(" ".join(arguments))
