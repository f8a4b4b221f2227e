"""The Prefect flow: one task per stage of dvc.yaml, in its order."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from flows.errors import FlowError
from flows.execution.head_start import HeadStart
from flows.execution.machine import side_by_side
from flows.execution.own_server import lost
from flows.execution.prefect_errors import server_errors
from flows.execution.process_output import Outcome, StageResult, done
from flows.execution.server import has_server, require_server, start_server
from flows.execution.stage_lines import word_of_run
from flows.execution.stage_task import Here, result_of
from flows.execution.together import Together
from flows.execution.warm import warm_process
from flows.execution.watching import watcher
from flows.planning.backbone import require_backbone
from flows.project.graph import StageNode, read_stages, up_to_date
from flows.project.idle import idle_among
from flows.project.parameters import check_parameters
from flows.project.workspace import exclusive
from flows.run.first_page import FirstPage, before_first_model
from flows.run.in_turn import run_in_order
from flows.run.provenance import last_times, read_record, recorded
from flows.run.results import show_as_artifacts
from flows.run.run_page import renew_page


@flow(name="smallset", persist_result=False)
def pipeline(width: int | None = None, workers: str | None = None, only: Sequence[str] | None = None) -> list[State]:
    """Run every stage that changed.

    Args:
        width: stages that may run side by side; else as `side_by_side` says, or as many as there are workers.
        workers: address of a Dask scheduler, whose workers run the stages in clones of their own; else they run here.
        only: names of stages that this run is about, with all that they need; None: of all.

    Raises:
        FlowError: another run is at work in this workspace, dvc.yaml cannot be read, there are no such workers, or the
            backbone cannot be had.
    """
    if width is not None and width < 1:
        raise FlowError(f"width: expected at least 1. Received: {width}")
    if begun := _run_that_began():
        where = nullcontext(Here(begun.head_start))
        return _run(begun.everything, begun.stages, begun.fresh, width or side_by_side(), where)
    with exclusive():
        everything = read_stages()
        stages = _about(everything, only)
        fresh = up_to_date(stages)
        _require_backbone(stages, fresh, workers)
        together = Together((), ()) if workers else _together(stages, fresh)
        _tell_plan(stages, fresh, together)
        wide = width or (len(stages) if workers else side_by_side())
        return _run(everything, stages, fresh, wide, _place(workers, together))


def _tell_plan(stages: Sequence[StageNode], fresh: frozenset[str], together: Together) -> None:
    watcher().planned([stage.name for stage in stages if stage.name not in together.names], fresh, last_times())


def _run(
    everything: Sequence[StageNode],
    stages: Sequence[StageNode],
    fresh: frozenset[str],
    width: int,
    where: AbstractContextManager[Here],
) -> list[State]:
    with where as place:
        place.prepare(stages, fresh)
        # Workers take no core from each other.
        first = before_first_model(stages, _idle(stages)) if place.is_one_machine else frozenset()
        with recorded([stage.name for stage in everything], {"name": flow_run.name, "id": flow_run.id}) as take:
            with FirstPage(stages, fresh, word_of_run(get_run_logger())) as first_page:
                states = run_in_order(stages, width, place, first_page.after(take), first)
            place.finish()
        renew_page(first_page.is_published)
        show_as_artifacts(done(result_of(stage.name, state) for stage, state in zip(stages, states, strict=True)))
        return states


def _place(workers: str | None, together: Together) -> AbstractContextManager[Here]:
    if workers is None:
        return _here(together)
    from flows.remote.workers import connected

    return connected(workers)


@contextmanager
def _here(together: Together) -> Iterator[Here]:
    with warm_process():
        yield Here(together=together)


def _together(stages: Sequence[StageNode], fresh: frozenset[str]) -> Together:
    """Groups of stages that are turned off: each in a process of its own would take a second and a half."""
    return Together(stages, _idle(stages) - fresh, before_first_model(stages, _idle(stages)))


def _idle(stages: Sequence[StageNode]) -> frozenset[str]:
    return idle_among([stage.name for stage in stages])


def _require_backbone(stages: Sequence[StageNode], fresh: frozenset[str], workers: str | None) -> None:
    # Workers have it or reach its site, whatever this machine does.
    if workers is None:
        require_backbone([stage for stage in stages if stage.name not in fresh])


def _about(stages: Sequence[StageNode], only: Sequence[str] | None) -> list[StageNode]:
    return [stage for stage in stages if only is None or stage.name in only]


@dataclass(frozen=True)
class _Begun:
    """A run that has begun before its flow, within the lock of the workspace."""

    everything: Sequence[StageNode]
    stages: Sequence[StageNode]
    fresh: frozenset[str]
    head_start: HeadStart


_begun: ContextVar[_Begun | None] = ContextVar("begun", default=None)


def _run_that_began() -> _Begun | None:
    """The run that has begun before its flow, which is sent to Dask whole and so names no such variable itself."""
    return _begun.get()


def run_pipeline(width: int | None, workers: str | None = None, only: Sequence[str] | None = None) -> list[StageResult]:
    """Run the flow in this process and say what became of each stage that it is about.

    Raises:
        FlowError: a mistake in params.yaml; or as `pipeline`, before any server of Prefect starts.
    """
    with exclusive():
        check_parameters()
        everything = read_stages()
        stages = _about(everything, only)
        fresh = up_to_date(stages)
        is_alone = workers is None and not has_server()
        if is_alone and len(fresh) == len(stages):
            return _nothing_to_do(stages, everything)
        _require_backbone(stages, fresh, workers)
        if is_alone:
            head_start = HeadStart(stages, fresh, _together(stages, fresh))
            _tell_plan(stages, fresh, head_start.together)
            return _run_alone(_Begun(everything, stages, fresh, head_start), width, only)
    if workers is None:
        start_server()
    else:
        require_server()
    return run_flow(width, workers, only)


def _run_alone(begun: _Begun, width: int | None, only: Sequence[str] | None) -> list[StageResult]:
    """Run the flow with a server of its own, whose start takes seconds: meanwhile the first stages run already."""
    with warm_process(), begun.head_start:
        start_server()
        begun.head_start.close()
        token = _begun.set(begun)
        try:
            return run_flow(width, only=only)
        finally:
            _begun.reset(token)


def _nothing_to_do(stages: Sequence[StageNode], everything: Sequence[StageNode]) -> list[StageResult]:
    """Record such a run without Prefect: its server would end with it, unseen."""
    results = [StageResult(stage.name, Outcome.UP_TO_DATE) for stage in stages]
    with recorded([stage.name for stage in everything], {}) as take:
        for result in results:
            take(result)
    renew_page()
    return results


def run_flow(width: int | None, workers: str | None = None, only: Sequence[str] | None = None) -> list[StageResult]:
    """Run the flow, also within another, and say what became of each stage.

    Raises:
        FlowError: as `pipeline`.
    """
    with server_errors():
        try:
            state = pipeline(width=width, workers=workers, only=only, return_state=True)
        except Exception:
            if ended := lost():
                raise ended from None
            raise
        states = state.result(raise_on_failure=False)
        if isinstance(states, BaseException):
            raise states
    record = read_record()
    assert record, "every run writes one"
    names = [stage.name for stage in record.stages if only is None or stage.name in only]
    return [result_of(name, state) for name, state in zip(names, states, strict=True)]
