"""What is true of one run only: the commit, the machine, the versions, and how long each stage took."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.execution.machine import describe_machine, versions
from flows.execution.process_output import Outcome, StageResult
from flows.project.dvc_lock import read_lock
from flows.project.git import GitError, git, resolve
from flows.project.whole_file import write_whole
from safety.text import visible

RECORD = Path(".smallset") / "run.json"
ResultTaker = Callable[[StageResult], None]


@dataclass(frozen=True)
class StageRecord:
    """What became of a stage in one run.

    Attributes:
        outcome: of this run; None where it took none.
        seconds: of this run; None where it took none.
        ended: time (UTC) of the run of the stage that made what dvc.lock now holds; None where no run of this workspace
            is known to have made it.
        took: seconds of that run; None likewise.
        lock: checksum of the stage in dvc.lock, which tells whether that still holds.
    """

    name: str
    outcome: str
    seconds: float | None
    ended: str | None
    took: float | None
    lock: str | None


@dataclass(frozen=True)
class RunRecord:
    """One run of the flow, as `.smallset/run.json` keeps it.

    Attributes:
        commit: None outside of a git repository.
        changed: files that differed from it at the start.
        machine: as `flows.execution.machine` says.
        packages: as `flows.execution.machine` says.
        started: UTC, ISO 8601.
        seconds: of the whole flow.
        flow_run: Prefect's name and id of it; empty where there was nothing to do and no server to tell it to.
    """

    commit: str | None
    changed: Sequence[str]
    machine: Mapping[str, Any]
    packages: Mapping[str, str]
    started: str
    seconds: float
    flow_run: Mapping[str, str]
    stages: Sequence[StageRecord]


@contextmanager
def recorded(names: Sequence[str], flow_run: Mapping[str, str]) -> Iterator[ResultTaker]:
    """Write down the run that the block is, however it ends.

    Args:
        names: of the stages, in order.

    Yields:
        What takes the result of each stage as soon as it has ended; of several of one stage the last counts.
    """
    started, clock = now(), time.monotonic()
    commit, changed = commit_and_changes()
    taken: dict[str, tuple[StageResult, str]] = {}

    def take(result: StageResult) -> None:
        taken[result.name] = (result, now())

    try:
        yield take
    finally:
        stages = _stages(names, taken)
        seconds = round(time.monotonic() - clock, 1)
        _write(RunRecord(commit, changed, describe_machine(), versions(), started, seconds, flow_run, stages))


def read_record() -> RunRecord | None:
    """The last run of this workspace; None if there was none, or by an earlier Smallset."""
    try:
        content = json.loads(RECORD.read_text(encoding="utf-8"))
        return RunRecord(**(content | {"stages": [StageRecord(**stage) for stage in content["stages"]]}))
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def last_times() -> dict[str, float]:
    """Seconds that each stage took when it last ran here, where that is known."""
    record = read_record()
    return {stage.name: stage.took for stage in record.stages if stage.took} if record else {}


def remade_since(record: RunRecord) -> frozenset[str]:
    """Name the stages whose results are no longer those that the run left: DVC alone has made or fetched others."""
    locks = _locks()
    return frozenset(stage.name for stage in record.stages if locks.get(stage.name) != stage.lock)


def commit_and_changes() -> tuple[str | None, list[str]]:
    """The commit that is checked out, None without one, and the files that differ from it, untracked ones too."""
    try:
        status = git("--no-optional-locks", "status", "--porcelain", "--no-renames", "-z")
    except GitError:
        return None, []
    return resolve("HEAD"), sorted(visible(entry[3:]) for entry in status.split("\0") if entry)


def now() -> str:
    """The time, UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _stages(names: Sequence[str], taken: Mapping[str, tuple[StageResult, str]]) -> list[StageRecord]:
    before = read_record()
    earlier = {stage.name: stage for stage in before.stages} if before else {}
    locks = _locks()
    found = []
    for name in names:
        result, ended = taken.get(name, (StageResult(name, Outcome.NOT_RUN), None))
        lock, known = locks.get(name), earlier.get(name)
        seconds = round(result.seconds, 1) or None
        if result.outcome is Outcome.RAN:
            last: tuple[str | None, float | None] = (ended, seconds)
        elif known and lock and known.lock == lock:
            last = (known.ended, known.took)
        else:
            last = (None, None)
        found.append(StageRecord(name, str(result.outcome), seconds, *last, lock))
    return found


def _locks() -> dict[str, str]:
    """A checksum of every stage's command, dependencies, parameters and outputs in dvc.lock. Not while stages run."""
    return {
        name: hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        for name, content in (read_lock() or {}).get("stages", {}).items()
    }


def _write(record: RunRecord) -> None:
    write_whole(RECORD, json.dumps(asdict(record), indent=2) + "\n")
