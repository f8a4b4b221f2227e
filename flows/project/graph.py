"""dvc.yaml as stages in order, as DVC itself resolves it, and what DVC finds changed in each."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from flows.project.dvc_lock import LOCK, read_lock
from flows.project.dvc_repo import open_project
from flows.project.inputs import require_images
from flows.project.records import check_lock


@dataclass(frozen=True)
class StageNode:
    """One stage of dvc.yaml, `foreach` and `matrix` expanded.

    Attributes:
        upstream: names of the stages whose outputs it reads.
        has_run: whether dvc.lock knows it.
        changes: what DVC finds changed in the stage itself; what runs before it may change it too.
        at_work: whether its files are in use by another process, so that DVC cannot tell yet.
        command: as dvc.yaml has it, its lines joined by `&&`.
        outputs: their paths, relative to the project.
    """

    name: str
    upstream: tuple[str, ...]
    has_run: bool
    changes: tuple[str, ...]
    at_work: bool = False
    command: str = ""
    outputs: tuple[str, ...] = ()


def read_stages() -> tuple[StageNode, ...]:
    """Read the stages of the project in the working directory, each after those it depends on.

    Raises:
        FlowError: no project, no readable dvc.yaml or dvc.lock, or the images are not here or not as DVC tracks them.
    """
    if lock := read_lock():
        check_lock(lock, str(LOCK))
    with open_project() as repo:
        require_images(repo)
        graph = repo.index.graph
        # What `dvc add` and `dvc import` track has no command and nothing to run.
        stages = {stage.addressing: stage for stage in repo.index.stages if stage.cmd}
        upstream = {
            name: tuple(found.addressing for found in graph.successors(stage) if found.cmd)
            for name, stage in stages.items()
        }
        return tuple(
            StageNode(
                name,
                upstream[name],
                _has_run(stages[name]),
                *_changes(stages[name]),
                command=_command(stages[name]),
                outputs=tuple(Path(out.fs_path).relative_to(repo.root_dir).as_posix() for out in stages[name].outs),
            )
            for name in in_order(upstream)
        )


def in_order(upstream: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Name the stages, each after those it waits for, else in the order that they come in.

    That is the order of dvc.yaml, where what is wrong is found out early.

    Args:
        upstream: of each stage those it waits for; others than these stages do not count.
    """
    places = {name: place for place, name in enumerate(upstream)}
    sorter = TopologicalSorter({name: [one for one in needed if one in places] for name, needed in upstream.items()})
    sorter.prepare()
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=places.__getitem__)
        yield ready[0]
        sorter.done(ready.pop(0))


def with_upstream(chosen: Collection[str], upstream: Mapping[str, Sequence[str]]) -> list[str]:
    """The chosen stages and all that they need, in the order of `upstream`.

    Args:
        chosen: their names.
        upstream: of each stage the stages whose outputs it reads.
    """
    needed, waiting = set[str](), list(chosen)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += upstream[name]
    return [name for name in upstream if name in needed]


def up_to_date(stages: Sequence[StageNode]) -> frozenset[str]:
    """Name the stages that DVC finds unchanged, together with everything they depend on."""
    fresh: set[str] = set()
    for stage in stages:
        if not (stage.changes or stage.at_work) and fresh.issuperset(stage.upstream):
            fresh.add(stage.name)
    return frozenset(fresh)


def _changes(stage: Any) -> tuple[tuple[str, ...], bool]:
    """What DVC finds changed in a stage, and whether another process is at work on its files."""
    from dvc.lock import LockError

    try:
        return _explain(stage.status(check_updates=True).get(stage.addressing, [])), False
    except LockError:
        return (), True


def _command(stage: Any) -> str:
    return stage.cmd if isinstance(stage.cmd, str) else " && ".join(stage.cmd)


def _has_run(stage: Any) -> bool:
    return any(entry.hash_info for entry in (*stage.deps, *stage.outs))


def _explain(changes: Sequence[Any]) -> tuple[str, ...]:
    """DVC's status of a stage as sentences: a word, or kind -> {path: what}, params one level deeper."""
    sentences: list[str] = []
    for change in changes:
        if isinstance(change, str):
            sentences.append(change)
            continue
        for entries in change.values():
            for path, what in entries.items():
                if isinstance(what, dict):
                    sentences += [f"{key} {how if isinstance(how, str) else 'modified'}" for key, how in what.items()]
                else:
                    sentences.append(f"{path} {what}")
    return tuple(sentences)
