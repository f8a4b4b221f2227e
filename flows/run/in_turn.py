"""Stages in turn: which one begins when, and what became of it taken as it ends."""

import queue
from collections.abc import Callable, Sequence
from graphlib import TopologicalSorter
from typing import Any

from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture

from flows.errors import FlowError
from flows.execution.process_output import done
from flows.execution.stage_task import Here, result_of
from flows.execution.watching import watcher
from flows.project.graph import StageNode
from flows.run.provenance import ResultTaker

_LOOK = 5.0  # seconds between two looks at whether the stages can go on at all


def run_in_order(
    stages: Sequence[StageNode], width: int, place: Here, take: ResultTaker, first: frozenset[str]
) -> list[State]:
    """Submit each stage once all before it have ended: none that waits takes the place of one that could run.

    Args:
        stages: of the run, each after those it depends on.
        width: how many run side by side.
        place: where they run.
        take: takes what became of each, as it ends.
        first: names of those that run before all others.

    Returns:
        The last state of each, in their order.

    Raises:
        FlowError: no more could be submitted; what was at work has ended.
    """
    upstream = {stage.name: stage.upstream for stage in stages}
    sorter = TopologicalSorter({**upstream, **place.together.upstream})
    sorter.prepare()
    places = {name: place for place, name in enumerate(upstream)}
    ready: list[str] = []
    futures: dict[str, PrefectFuture[Any]] = {}
    states: dict[str, State] = {}
    ended: queue.SimpleQueue[str] = queue.SimpleQueue()
    lost: FlowError | None = None
    try:
        while sorter.is_active():
            # The images are looked at before the backbone trains, which needs none of them.
            ready = sorted([*ready, *sorter.get_ready()], key=places.__getitem__)
            if (lost := place.lost()) and len(futures) == len(states):
                break
            while not lost and len(futures) - len(states) < width and (name := _next_of(ready, first - states.keys())):
                ready.remove(name)
                futures[name] = place.submit(name, [states[needed] for needed in upstream[name]])
                futures[name].add_done_callback(_teller(ended, name))
            name = _ended(ended, place)
            states[name] = _settle(name, futures[name], place, take)
            if not done([result_of(name, states[name])]):
                place.together.take_failure(name)
            sorter.done(name)
    except BaseException:
        # Ctrl-C or a cancellation: each process is ended where it was started, this one waits for them.
        watcher().stopping()
        place.stop()
        for name in futures.keys() - states.keys():
            _settle(name, futures[name], place, take)
        raise
    if lost and len(states) < len(stages):
        raise lost
    return [states[stage.name] for stage in stages]


def _teller(ended: "queue.SimpleQueue[str]", name: str) -> Callable[[PrefectFuture[Any]], None]:
    return lambda _: ended.put(name)


def _next_of(ready: Sequence[str], first: frozenset[str]) -> str | None:
    """The next stage to begin: nothing else takes a core from the first answer."""
    return next((name for name in ready if name in first or not first), None)


def _ended(ended: "queue.SimpleQueue[str]", place: Here) -> str:
    while True:
        try:
            return ended.get(timeout=_LOOK)
        except queue.Empty:
            place.look()


def _settle(name: str, future: PrefectFuture[Any], place: Here, take: ResultTaker) -> State:
    state = place.settle(name, future)
    if state.is_final():
        result = result_of(name, state)
        take(result)
        watcher().ended(result)
    return state
