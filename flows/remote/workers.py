"""Stages on the workers of a Dask scheduler, each in a clone of its own; they share a DVC remote and nothing else."""

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from typing import Any

from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run

from flows.errors import FlowError
from flows.execution.machine import versions
from flows.execution.process import transfer
from flows.execution.process_output import LineTaker, Outcome, StageResult
from flows.execution.server import require_server
from flows.execution.stage_lines import lines_of
from flows.execution.stage_task import Here, stage_task, state_of
from flows.execution.watching import is_watched
from flows.project.cache import fetch_missing
from flows.project.graph import StageNode
from flows.project.outputs import read_storage
from flows.remote.handover import Needs, clean_commit, merge_entry, read_given, read_needs, write_files
from safety.text import visible

try:
    from distributed import Client, Event, KilledWorker
    from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

    from flows.remote.worker import Delivery, Order, run_order
except ModuleNotFoundError as error:
    raise FlowError(f"workers: {error.name} is not installed: pip install '.[dask]'") from None

CONNECT = 10.0  # seconds for the scheduler to answer
PATIENCE = 120.0  # seconds without any worker: one that has died is back within seconds, a new machine within minutes
_LOOK = 5.0  # seconds between two looks for the first worker
_END = 60.0  # seconds for workers to end their stages
_logger = logging.getLogger("prefect.workers")


@contextmanager
def connected(address: str) -> Iterator["Workers"]:
    """Connect to the workers; every mistake that can be known before the work is told here.

    Raises:
        FlowError: no server of Prefect, no DVC remote, no commit, no scheduler or no worker.
    """
    require_server()
    if read_storage().remote is None:
        raise FlowError(
            "workers need a DVC remote that all of them reach: `dvc remote add --default storage URL`, committed"
        )
    commit = clean_commit()
    with DaskTaskRunner(address=address, client_kwargs={"timeout": CONNECT}) as runner:
        try:
            client = runner.client
        except (OSError, ValueError) as error:
            raise FlowError(f"{address}: expected a Dask scheduler (`dask scheduler`): {error}") from None
        if failure := fetch_missing():
            _logger.warning("what earlier runs made could not all be fetched: %s", failure)
        with ExitStack() as taken:
            yield Workers(runner, client, commit, taken)


class Workers(Here):
    """Runs stages on workers; here only what is up to date, or depends on files that only this machine has."""

    is_one_machine = False

    def __init__(self, runner: DaskTaskRunner, client: Client, commit: str, taken: ExitStack) -> None:
        """Use a runner of Prefect that is connected, for a commit; `taken` ends where lines of stages go."""
        super().__init__()
        self._runner, self._client, self._commit = runner, client, commit
        self._channel = f"smallset-{flow_run.id}"
        self._needs: dict[str, Needs] = {}
        self._order: list[str] = []
        self._made: list[str] = []
        self._lines: dict[str, LineTaker] = {}
        self._taken = taken
        self._seen = time.monotonic()
        self._deadline: float | None = None

    def prepare(self, stages: Sequence[StageNode], fresh: frozenset[str]) -> None:
        """Wait for a worker, and put on the remote what the stages need of earlier runs."""
        super().prepare(stages, fresh)
        self._order = [stage.name for stage in stages]
        self._needs = read_needs()
        if len(fresh) == len(stages):
            return
        self._client.subscribe_topic(self._channel, self._show)
        while not self._look_for_workers():
            _logger.info("waiting for a worker")
            time.sleep(_LOOK)
        transfer("push", [], self._stop)

    def _show(self, event: tuple[float, tuple[str, str]]) -> None:
        name, line = event[1]
        self._lines[name](visible(line))

    def _look_for_workers(self) -> bool:
        with _scheduler():
            threads = self._client.nthreads()
        for address, number in threads.items():
            if number != 1:
                raise FlowError(f"worker {address}: expected one stage at a time (`--nthreads 1`), found {number}")
        if threads:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > PATIENCE:
            raise FlowError(f"no worker at the scheduler for {PATIENCE:.0f} s: start `dask worker` in a clone")
        return bool(threads)

    def submit(self, name: str, wait_for: Sequence[State]) -> PrefectFuture[Any]:
        """Start a stage on a worker, or here."""
        needs = self._needs[name]
        if name in self._fresh:
            return super().submit(name, wait_for)
        if needs.only_here:
            _logger.info("%s | here: no commit and no remote has %s", name, needs.only_here)
            return super().submit(name, wait_for)
        packages = {package: version for package, version in versions().items() if package != "python"}
        order = Order(name, self._commit, packages, read_given(needs), needs.pulled, needs.made)
        # Prefect's own type knows only futures to wait for, and only tasks that are coroutines.
        runner: Any = self._runner
        self._lines[name] = self._taken.enter_context(lines_of(name, _log(name)))
        with _scheduler():
            future: PrefectFuture[Any] = runner.submit(
                stage_task(run_order, name), {"order": order, "channel": self._channel}, wait_for
            )
            return future

    def _run(self, name: str) -> State:
        if name in self._fresh:
            return super()._run(name)
        try:
            if pulled := self._needs[name].pulled:
                transfer("pull", ["--force", *pulled], self._stop)
            state = super()._run(name)
            if state.is_completed():
                transfer("push", ["--run-cache", name], self._stop)
            return state
        except FlowError as error:
            outcome = Outcome.STOPPED if self._stop.is_set() else Outcome.FAILED
            return state_of(StageResult(name, outcome, reason=str(error)))

    def settle(self, name: str, future: PrefectFuture[Any]) -> State:
        """Take what a worker has delivered into this workspace: its entry of dvc.lock, and what DVC does not keep."""
        if not isinstance(future, PrefectDaskFuture):
            return super().settle(name, future)
        future.wait(None if self._deadline is None else max(0.0, self._deadline - time.monotonic()))
        if not (future.wrapped_future.done() and future.wrapped_future.status == "finished"):
            return state_of(StageResult(name, Outcome.FAILED, reason=_loss(future)))
        state = future.state
        if not state.is_completed() or not isinstance(found := state.result(), Delivery):
            return state
        write_files(found.files)
        merge_entry(name, found.entry, self._order)
        self._made.append(name)
        return state.model_copy(update={"data": found.result})

    def look(self) -> None:
        """Raise FlowError if there has been no worker for some time."""
        self._look_for_workers()

    def stop(self) -> None:
        """End all stages, here and there."""
        super().stop()
        self._deadline = time.monotonic() + _END
        try:
            with _scheduler():
                Event(self._channel, client=self._client).set()
        except FlowError as error:
            _logger.warning("%s: its workers end their stages", error)

    def finish(self) -> None:
        """Fetch what the workers have made."""
        if self._made:
            transfer("pull", ["--force", *self._made], self._stop)


@contextmanager
def _scheduler() -> Iterator[None]:
    """Dask has several exceptions for a connection that has ended."""
    try:
        yield
    except (OSError, RuntimeError, CancelledError) as error:
        raise FlowError(f"the scheduler is gone: {error}") from None


def _log(name: str) -> LineTaker:
    """What takes the lines of a stage where nobody watches: the worker's own task sends them to Prefect's server."""
    return lambda line: None if is_watched() else _logger.info("%s | %s", name, line)


def _loss(future: PrefectDaskFuture[Any]) -> str:
    error = future.wrapped_future.exception() if future.wrapped_future.status == "error" else None
    if isinstance(error, KilledWorker):
        return f"{error.allowed_failures + 1} workers died at it, the last one {error.last_worker.address}"
    return " ".join(str(error or "its worker or the scheduler is gone").split())
