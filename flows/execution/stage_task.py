"""A stage as a task of Prefect: its tries, its states, and what they say of the stage."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prefect import get_run_logger
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Cancelled, Completed, Failed
from prefect.tasks import Task

from flows.errors import FlowError
from flows.execution import own_server
from flows.execution.head_start import HeadStart
from flows.execution.process_output import Outcome, StageResult
from flows.execution.stage_lines import lines_of, log_of
from flows.execution.together import Together
from flows.execution.whole_stage import run_whole
from flows.project.graph import StageNode

# Stages that depend on the world outside: seconds before each further try.
RETRIES: Mapping[str, Sequence[float]] = {"download": (10.0, 60.0)}


class StageFailed(Exception):
    """What the state of a failed task carries: the message is the stage and its reason."""

    def __init__(self, result: StageResult) -> None:
        """Name the stage and its reason."""
        super().__init__(f"{result.name}: {result.reason}")
        self.result = result

    def __reduce__(self) -> tuple[type["StageFailed"], tuple[StageResult]]:
        """Let it come from another machine."""
        return StageFailed, (self.result,)


class _NoEmptyTraceback(logging.Filter):
    """Takes away the traceback of no exception that Prefect logs with a failed state that a task returned."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if record.exc_info and record.exc_info[0] is None:
            record.exc_info = None
        return True


logging.getLogger("prefect.task_runs").addFilter(_NoEmptyTraceback())


class Here:
    """Runs stages in this workspace, as threads that follow their processes.

    Attributes:
        is_one_machine: whether stages side by side share its cores.
        together: what runs stages in groups.
    """

    is_one_machine = True

    def __init__(self, begun: HeadStart | None = None, together: Together | None = None) -> None:
        """Start with nothing to run.

        Args:
            begun: what runs already, with its groups.
            together: runs stages in groups, where nothing runs yet; None: each runs by itself.
        """
        self._fresh: frozenset[str] = frozenset()
        self._stop = begun.stop if begun else threading.Event()
        self._begun = begun
        self.together = begun.together if begun else together or Together((), ())

    def prepare(self, stages: Sequence[StageNode], fresh: frozenset[str]) -> None:
        """Take all stages, in order, and the names of those that are up to date: they are only reported."""
        self._fresh = fresh

    def submit(self, name: str, wait_for: Sequence[State]) -> PrefectFuture[Any]:
        """Start a stage, or report that a stage before it failed."""
        return stage_task(self._run, name).submit(name, wait_for=wait_for, return_state=False)

    def _run(self, name: str) -> State:
        if name in self._fresh:
            return state_of(StageResult(name, Outcome.UP_TO_DATE))
        log = log_of(get_run_logger())
        if self._begun and (found := self._begun.taken_over(name, log)):
            return state_of(found)
        if found := self.together.taken_over(name, log, self._stop):
            return state_of(found)
        with lines_of(name, log) as take:
            return state_of(run_whole(name, take, self._stop))

    def settle(self, name: str, future: PrefectFuture[Any]) -> State:
        """The last state of a stage that has ended, or is about to."""
        future.wait()
        return future.state

    def look(self) -> None:
        """Raise FlowError if what was submitted cannot end any more."""

    def lost(self) -> FlowError | None:
        """Why no more stage can be submitted, though what is at work may end; None while one can."""
        return own_server.lost()

    def stop(self) -> None:
        """End all stages: `settle` waits for their end."""
        self._stop.set()

    def finish(self) -> None:
        """Complete this workspace, once all stages have ended."""


def stage_task(run: Callable[..., State], name: str) -> Task[..., State]:
    """What runs a stage, as a task."""
    waits = list(RETRIES.get(name, ()))
    return Task(
        run,
        name=name,
        task_run_name=name,
        # DVC decides what is stale.
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=len(waits),
        retry_delay_seconds=waits or None,
        retry_condition_fn=_may_pass_later,
    )


def _may_pass_later(task: Any, task_run: Any, state: State) -> bool:
    return isinstance(state.data, StageFailed) and state.data.result.may_pass_later


def state_of(result: StageResult, data: Any = None) -> State:
    """The state of a task that a stage's result means; data: what it carries, else the result."""
    if result.outcome is Outcome.FAILED:
        return Failed(message=result.reason, data=StageFailed(result))
    if result.outcome is Outcome.STOPPED:
        return Cancelled(message=result.reason, data=StageFailed(result))
    names = {Outcome.UP_TO_DATE: "UpToDate", Outcome.RESTORED: "Restored"}
    return Completed(name=names.get(result.outcome), message=result.outcome, data=data or result)


def result_of(name: str, state: State) -> StageResult:
    """What a state says of the stage."""
    if not state.is_final():
        return StageResult(name, Outcome.NOT_RUN, reason="a stage before it failed")
    if isinstance(found := state.result(raise_on_failure=False), StageFailed):
        return found.result
    return found if isinstance(found, StageResult) else StageResult(name, Outcome.FAILED, reason=str(found))
