"""A stage that a run on another machine orders: its inputs fetched into this clone, run, its outputs pushed."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Event, get_worker
from prefect import get_run_logger
from prefect.client.schemas.objects import State

from flows.errors import FlowError
from flows.execution.machine import versions
from flows.execution.process import Stop, transfer
from flows.execution.process_output import LineTaker, Outcome, StageResult
from flows.execution.stage_task import state_of
from flows.execution.whole_stage import run_whole
from flows.project.dvc_repo import open_project
from flows.project.git import git, resolve
from flows.project.inputs import remove_unknown
from flows.project.workspace import exclusive
from flows.remote.handover import read_entry, read_files, write_files

MARK = Path(".smallset") / "worker"  # there once this clone has been a worker's: nobody's own work is in it


@dataclass(frozen=True)
class Order:
    """One stage for a worker: what to run, and everything that neither a git clone nor the DVC remote has.

    Attributes:
        commit: to run it on.
        packages: versions that must be the same.
        files: contents by path.
        pulled: outputs of other stages to fetch.
        made: outputs of this one whose contents are to come back.
    """

    name: str
    commit: str
    packages: Mapping[str, str]
    files: Mapping[str, bytes]
    pulled: tuple[str, ...]
    made: tuple[str, ...]


@dataclass(frozen=True)
class Delivery:
    """What became of an order.

    Attributes:
        entry: of the stage in dvc.lock.
        files: contents by path of what DVC does not keep.
    """

    result: StageResult
    entry: Any
    files: Mapping[str, bytes]


def run_order(order: Order, channel: str) -> State:
    """Run a stage as a task of Prefect on a worker of Dask.

    Args:
        channel: name of the event that ends it, and of the topic that takes its lines.
    """
    worker, logger, stop = get_worker(), get_run_logger(), Event(channel)
    place = f"{socket.gethostname()}:{Path.cwd()}"

    def take(line: str) -> None:
        logger.info(line)
        worker.log_event(channel, [order.name, line])

    take(f"on {place}")
    try:
        delivery = deliver(order, take, stop)
    except FlowError as error:
        outcome = Outcome.STOPPED if stop.is_set() else Outcome.FAILED
        return state_of(StageResult(order.name, outcome, reason=f"{place}: {error}"))
    return state_of(delivery.result, delivery)


def deliver(order: Order, take_line: LineTaker, stop: Stop) -> Delivery:
    """Run a stage in the clone that is the working directory, on exactly what the order says.

    Raises:
        FlowError: this is no clone that could, or the remote refuses or lacks something.
    """
    with exclusive():
        _prepare(order)
        if order.pulled:
            transfer("pull", ["--force", *order.pulled], stop)
        # What DVC does not keep it cannot fetch: a stage that lacks some of it runs, as it would where it was ordered.
        complete = all(Path(path).exists() for path in order.made)
        result = run_whole(order.name, take_line, stop, pull=complete)
        if result.outcome in (Outcome.FAILED, Outcome.STOPPED):
            return Delivery(result, None, {})
        transfer("push", ["--run-cache", order.name], stop)
        return Delivery(result, read_entry(order.name), read_files(order.made))


def _prepare(order: Order) -> None:
    """Bring the clone to the commit, with the files that came along and nothing else that git could know."""
    found = {name: version for name, version in versions().items() if name in order.packages}
    for name, version in order.packages.items():
        if found.get(name) != version:
            raise FlowError(f"expected {name} {version}, as where the run was started, found {found.get(name, 'none')}")
    if not MARK.exists():
        if changed := git("status", "--porcelain", "--no-renames"):
            raise FlowError(f"expected a clone that nobody works in, found changes: {changed.splitlines()[0].strip()}")
        MARK.touch()
    if resolve(order.commit) is None:
        git("fetch", "--quiet")
    if resolve(order.commit) is None:
        here = (resolve("HEAD") or "no commit")[:8]
        raise FlowError(
            f"this clone has no commit {order.commit[:8]}, only {here}: push it to where this one fetches from"
        )
    git("checkout", "--quiet", "--force", "--detach", str(resolve(order.commit)))
    git("clean", "--quiet", "--force", "-d", "--exclude", ".smallset")
    write_files(order.files)
    with open_project() as repo:
        remove_unknown(repo)
