"""The Prefect flow: one task per stage of dvc.yaml, in its order."""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

from prefect import flow, get_run_logger
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed, State
from prefect.tasks import Task

from flows.cache import drop_damaged
from flows.errors import FlowError
from flows.graph import StageNode, read_stages, up_to_date
from flows.process import run_stage
from flows.process_output import Outcome, StageResult
from flows.provenance import ResultTaker, read_record, recorded
from flows.results import publish
from flows.run_page import renew_page
from flows.server import start_server
from flows.workspace import exclusive

# Stages that depend on the world outside: seconds before each further try.
RETRIES: Mapping[str, Sequence[float]] = {"download": (10.0, 60.0)}


class StageFailed(Exception):
    """What the state of a failed task carries: the message is the stage and its reason."""

    def __init__(self, result: StageResult) -> None:
        """Name the stage and its reason."""
        super().__init__(f"{result.name}: {result.reason}")
        self.result = result


class _NoEmptyTraceback(logging.Filter):
    """Takes away the traceback of no exception that Prefect logs with a failed state that a task returned."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if record.exc_info and record.exc_info[0] is None:
            record.exc_info = None
        return True


logging.getLogger("prefect.task_runs").addFilter(_NoEmptyTraceback())


@flow(name="smallset", persist_result=False)
def pipeline(width: int = 1) -> list[State]:
    """Run every stage that changed; at most `width` at a time.

    Raises:
        FlowError: another run is at work in this workspace, or dvc.yaml cannot be read.
    """
    if width < 1:
        raise FlowError(f"width: expected at least 1. Received: {width}")
    with exclusive():
        stages = read_stages()
        with recorded([stage.name for stage in stages], {"name": flow_run.name, "id": flow_run.id}) as take:
            futures = _run_in_order(stages, width, take)
        renew_page()
        publish()
        return [future.state for future in futures]


def run_pipeline(width: int) -> list[StageResult]:
    """Run the flow in this process and say what became of each stage.

    Raises:
        FlowError: as `pipeline`, before any server of Prefect starts.
    """
    with exclusive():
        read_stages()
    start_server()
    return run_flow(width)


def run_flow(width: int) -> list[StageResult]:
    """Run the flow, also within another, and say what became of each stage.

    Raises:
        FlowError: as `pipeline`.
    """
    state = pipeline(width=width, return_state=True)
    states = state.result(raise_on_failure=False)
    if isinstance(states, BaseException):
        raise states
    record = read_record()
    assert record, "every run writes one"
    return [_result_of(stage.name, state) for stage, state in zip(record.stages, states, strict=True)]


def _run_in_order(stages: Sequence[StageNode], width: int, take: ResultTaker) -> list[PrefectFuture[Any]]:
    """Submit each stage once all before it have ended: none that waits takes the place of one that could run."""
    fresh, stop = up_to_date(stages), threading.Event()
    tasks = {stage.name: _task(stage.name, stage.name in fresh, stop, take) for stage in stages}
    upstream = {stage.name: stage.upstream for stage in stages}
    sorter = TopologicalSorter(upstream)
    sorter.prepare()
    ready: deque[str] = deque()
    futures: dict[str, PrefectFuture[Any]] = {}
    ended: queue.SimpleQueue[str] = queue.SimpleQueue()
    running = 0
    try:
        while sorter.is_active():
            ready.extend(sorter.get_ready())
            while ready and running < width:
                name = ready.popleft()
                futures[name] = tasks[name].submit(
                    wait_for=[futures[needed] for needed in upstream[name]], return_state=False
                )
                futures[name].add_done_callback(_teller(ended, name))
                running += 1
            sorter.done(ended.get())
            running -= 1
    except BaseException:
        # Ctrl-C or a cancellation: the threads end their processes, this one waits for them.
        stop.set()
        for future in futures.values():
            future.wait()
        raise
    for future in futures.values():
        future.wait()
    return [futures[stage.name] for stage in stages]


def _teller(ended: "queue.SimpleQueue[str]", name: str) -> Callable[[PrefectFuture[Any]], None]:
    return lambda _: ended.put(name)


def _task(name: str, fresh: bool, stop: threading.Event, take: ResultTaker) -> Task[[], State]:
    def stage() -> State:
        logger = get_run_logger()
        result = StageResult(name, Outcome.UP_TO_DATE) if fresh else run_stage(name, logger.info, stop)
        if result.outcome is Outcome.RESTORED and (damaged := drop_damaged([name])):
            logger.warning("damaged in DVC's cache, made again: %s", ", ".join(damaged))
            result = run_stage(name, logger.info, stop)
        take(result)
        return _state(result)

    waits = list(RETRIES.get(name, ()))
    return Task(
        stage,
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


def _state(result: StageResult) -> State:
    if result.outcome is Outcome.FAILED:
        return Failed(message=result.reason, data=StageFailed(result))
    if result.outcome is Outcome.STOPPED:
        return Cancelled(message=result.reason, data=StageFailed(result))
    names = {Outcome.UP_TO_DATE: "UpToDate", Outcome.RESTORED: "Restored"}
    return Completed(name=names.get(result.outcome), message=result.outcome, data=result)


def _result_of(name: str, state: State) -> StageResult:
    if not state.is_final():
        return StageResult(name, Outcome.NOT_RUN, reason="a stage before it failed")
    if isinstance(found := state.result(raise_on_failure=False), StageFailed):
        return found.result
    return found if isinstance(found, StageResult) else StageResult(name, Outcome.FAILED, reason=str(found))
