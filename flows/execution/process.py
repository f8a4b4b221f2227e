"""One command of DVC as one process, above all a stage: started, followed, ended."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from flows.errors import FlowError
from flows.execution import warm
from flows.execution.pipe import reading
from flows.execution.process_output import LineTaker, Outcome, Report, StageResult
from flows.execution.process_tree import end
from flows.execution.several import Reports
from flows.project.dvc_guard import DVC
from flows.project.dvc_lock import KeptLock

_POLL = 0.2  # seconds between two looks at whether the process has ended or shall end
_LAST_WORDS = 2.0  # seconds for what still comes after the end, from a descendant that keeps the pipe


class Stop(Protocol):
    """What ends a stage once it is set: an event of this process, or one that a whole cluster sees."""

    def is_set(self) -> bool:
        """Whether the stage shall end."""

    def wait(self, timeout: float) -> bool:
        """Wait for that, for some seconds."""


def run_stage(
    name: str, take_line: LineTaker, stop: Stop, pull: bool = False, environment: Mapping[str, str] | None = None
) -> StageResult:
    """Run one stage, if DVC finds it changed, and hand over its lines as they come.

    Args:
        stop: ends the stage and all its descendants once it is set, as does any exception here.
        pull: fetch its outputs, where the remote has them from an equal run.
        environment: its variables; None: those of this process as they are now.
    """
    arguments = ["repro", "--single-item", *(["--pull"] if pull else []), name]
    return _run(arguments, name, take_line, stop, environment)


def run_stages(
    names: Sequence[str], begin: Callable[[str], LineTaker], stop: Stop, environment: Mapping[str, str] | None = None
) -> list[StageResult]:
    """Run several stages in one process of DVC, in their order, as `run_stage` does with one.

    Args:
        begin: called as DVC comes to a stage; gives what takes its lines.

    Returns:
        Of the stages that DVC has come to: a failure ends it.
    """
    reports = Reports(names, begin)
    returncode, stopped = _follow_to_end(["repro", "--single-item", *names], reports, stop, environment)
    return reports.results(returncode, stopped)


def transfer(way: Literal["pull", "push"], arguments: Sequence[str], stop: Stop) -> None:
    """Move outputs between DVC's cache and the remote.

    Raises:
        FlowError: the remote refuses or lacks them, or `stop` was set.
    """
    result = _run([way, *arguments], way, lambda _: None, stop)
    if result.outcome in (Outcome.FAILED, Outcome.STOPPED):
        raise FlowError(f"dvc {way}: {result.reason}")


def _run(
    arguments: Sequence[str],
    name: str,
    take_line: LineTaker,
    stop: Stop,
    environment: Mapping[str, str] | None = None,
) -> StageResult:
    started, report = time.monotonic(), Report(name, take_line)
    returncode, stopped = _follow_to_end(arguments, report, stop, environment)
    return report.result(returncode, time.monotonic() - started, stopped)


def _follow_to_end(
    arguments: Sequence[str], report: Report | Reports, stop: Stop, environment: Mapping[str, str] | None
) -> tuple[int, bool]:
    """Run a command of DVC; gives its exit code, and whether it was stopped."""
    kept = KeptLock()
    process = _start(arguments, os.environ if environment is None else environment)
    try:
        _follow(process, report.take, stop)
    finally:
        stopped = process.poll() is None
        # A DVC that was killed has left its stage at work.
        if stopped or process.returncode < 0:
            end(process)
        if process.stdout:
            process.stdout.close()
        if stopped or process.returncode != 0:
            kept.put_back()
    report.flush()
    return process.returncode, stopped


def _start(arguments: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*DVC, "--wait-for-lock", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=warm.environment_of(environment),
        start_new_session=True,
    )


def _follow(process: "subprocess.Popen[bytes]", take: Callable[[bytes], None], stop: Stop) -> None:
    """Hand over what the process writes until it has ended or `stop` is set; never wait for the end of the pipe."""
    assert process.stdout
    deadline = float("inf")
    with reading(process.stdout) as read:
        while not stop.is_set() and time.monotonic() < deadline:
            # Asked first: what an ended process wrote is in the pipe by now, and is read.
            ended = process.poll() is not None
            if ended:
                deadline = min(deadline, time.monotonic() + _LAST_WORDS)
            content = read(_POLL)
            if content:
                take(content)
            elif content is not None:
                break
            elif ended:
                return
    while not stop.is_set() and process.poll() is None:
        stop.wait(_POLL)
