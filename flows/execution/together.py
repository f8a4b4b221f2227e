"""Stages that have nothing to do, several in one process of DVC: its start takes longer than they do."""

import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack

from flows.execution.process import Stop, run_stages
from flows.execution.process_output import LineTaker, Outcome, StageResult
from flows.execution.stage_lines import lines_of
from flows.project.cache import drop_damaged
from flows.project.graph import StageNode, in_order


class _Group:
    """Stages of one process, what they depend on besides each other, and of each its result and lines."""

    def __init__(self, names: Sequence[str], own: Mapping[str, Sequence[str]]) -> None:
        self.names, self.lock = names, threading.Lock()
        self.outside = sorted({needed for name in names for needed in own[name]}.difference(names))
        self.done: dict[str, tuple[StageResult, list[str]]] | None = None


class Together:
    """Runs stages that have nothing to do by groups; each is asked for by itself, the first one runs all of its group.

    Attributes:
        upstream: per stage, in an order in which they can run, what has to have ended before it begins: besides what
            it depends on, for a stage of a group all that the group depends on, and its first stage.
    """

    def __init__(self, stages: Sequence[StageNode], idle: Collection[str], first: Collection[str] = ()) -> None:
        """Find the groups.

        Args:
            stages: of the run, each after those it depends on.
            idle: names of those that have nothing to do and are not up to date.
            first: names of those that the first answer waits for; a group is either all among them or not.
        """
        own = {stage.name: stage.upstream for stage in stages}
        groups = [_Group(names, own) for names in _grouped(stages, idle, first) if len(names) > 1]
        self._groups = {name: group for group in groups for name in group.names}
        found = {name: self._waits_for(name, own) for name in own}
        self.upstream: Mapping[str, tuple[str, ...]] = {name: found[name] for name in in_order(found)}

    def _waits_for(self, name: str, own: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
        if (group := self._groups.get(name)) is None:
            return tuple(own[name])
        leader = () if name == group.names[0] else (group.names[0],)
        return tuple(dict.fromkeys((*own[name], *group.outside, *leader)))

    @property
    def names(self) -> Collection[str]:
        """Of the stages in groups, of which nothing is to be shown unless they fail."""
        return self._groups.keys()

    def take_failure(self, name: str) -> None:
        """Let each stage of a group that depends on a stage that was not done run by itself, if it can run."""
        self._groups = {one: group for one, group in self._groups.items() if name not in group.outside}

    def taken_over(
        self, name: str, take_line: LineTaker, stop: Stop, environment: Mapping[str, str] | None = None
    ) -> StageResult | None:
        """Say what became of a stage of a group, which runs now if it has not run yet.

        Returns:
            None for a stage that is in no group, that the group has not come to or has to be made again: it is to run
            by itself. So it is from the second time on.
        """
        if (group := self._groups.get(name)) is None:
            return None
        with group.lock:
            if group.done is None:
                group.done = _run(group.names, stop, environment)
            result, lines = group.done.pop(name, (None, []))
        for line in lines:
            take_line(line)
        return result


def _run(
    names: Sequence[str], stop: Stop, environment: Mapping[str, str] | None
) -> dict[str, tuple[StageResult, list[str]]]:
    lines: dict[str, list[str]] = {}
    with ExitStack() as at_work:

        def begin(name: str) -> LineTaker:
            at_work.close()
            return at_work.enter_context(lines_of(name, lines.setdefault(name, []).append, is_shown=False))

        results = run_stages(names, begin, stop, environment=environment)
    damaged = [one.name for one in results if one.outcome is Outcome.RESTORED and drop_damaged([one.name])]
    return {one.name: (one, lines[one.name]) for one in results if one.name not in damaged}


def _grouped(stages: Sequence[StageNode], idle: Collection[str], first: Collection[str]) -> list[list[str]]:
    """Stages that may run in one process: behind equally many others, so that no way leads out of a group and back."""
    behind: dict[str, int] = {}
    groups: dict[tuple[int, bool], list[str]] = {}
    for stage in stages:
        known = [behind[name] + (name not in idle) for name in stage.upstream if name in behind]
        behind[stage.name] = max(known, default=0)
        if stage.name in idle:
            groups.setdefault((behind[stage.name], stage.name in first), []).append(stage.name)
    return list(groups.values())
