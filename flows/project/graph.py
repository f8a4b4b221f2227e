"""dvc.yaml as stages in order, as DVC itself resolves it; beside inputs.py and handover.py all that uses its API."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from ruamel.yaml import YAMLError

from flows.errors import FlowError
from flows.project.dvc_guard import guard
from flows.project.inputs import require_images
from flows.project.parameters import load
from flows.project.readiness import require_tools
from flows.project.records import check_lock
from flows.project.workspace import require_project
from safety.text import visible

LOCK = Path("dvc.lock")  # what DVC knows of every stage's last run


class Torn(FlowError):
    """A full disk, or an end while DVC wrote it, has left a part of dvc.lock."""


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
            for name in _in_order(upstream)
        )


def _in_order(upstream: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Name the stages, each after those it depends on, else as dvc.yaml has them: what is wrong is found out early."""
    places = {name: place for place, name in enumerate(upstream)}
    sorter = TopologicalSorter(upstream)
    sorter.prepare()
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=places.__getitem__)
        yield ready[0]
        sorter.done(ready.pop(0))


def up_to_date(stages: Sequence[StageNode]) -> frozenset[str]:
    """Name the stages that DVC finds unchanged, together with everything they depend on."""
    fresh: set[str] = set()
    for stage in stages:
        if not (stage.changes or stage.at_work) and fresh.issuperset(stage.upstream):
            fresh.add(stage.name)
    return frozenset(fresh)


def read_makers() -> dict[str, str]:
    """Name the stage that makes each output, by the output's path.

    Raises:
        FlowError: as `read_stages`.
    """
    try:
        with open_project() as repo:
            return _makers(repo)
    except Torn:
        return {}


def _makers(repo: Any) -> dict[str, str]:
    outs = [out for stage in repo.index.stages if stage.cmd for out in stage.outs]
    return {Path(out.fs_path).relative_to(repo.root_dir).as_posix(): out.stage.addressing for out in outs}


def read_lock(folder: Path = Path()) -> dict[str, Any] | None:
    """Read dvc.lock; None where there is none, or only a part of it.

    DVC writes over it where it lies: an end at that moment, or a full disk, leaves a part.
    """
    try:
        return _lock_in((folder / LOCK).read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def _lock_in(text: str) -> dict[str, Any] | None:
    try:
        found = load(text)
    except (YAMLError, ValueError):
        return None
    return found if isinstance(found, dict) and "schema" in found else None


def check_lock_text(text: str, where: str) -> None:
    """Raise FlowError where a dvc.lock of some revision is none that DVC may be given."""
    lock = _lock_in(text)
    if lock is None:
        raise FlowError(f"{where}: expected what DVC writes")
    check_lock(lock, where)


def files_in_git(folder: Path = Path()) -> list[str]:
    """Files of the pipeline that git keeps: dvc.yaml, dvc.lock, parameters, code, metrics and plots; those that exist.

    Raises:
        FlowError: as `read_stages`.
    """
    with open_project(folder) as repo:
        root = Path(repo.root_dir)
        tracked = {Path(out.fs_path) for out in repo.index.outs if out.use_cache}
        kept = {Path(out.fs_path) for out in repo.index.outs if not out.use_cache}
        needed = {Path(dep.fs_path) for dep in repo.index.deps if dep.fs_path}
        ignores = {out.parent / ".gitignore" for out in tracked}
        stages = {Path(stage.path) for stage in repo.index.stages}
        wanted = kept | needed | ignores | stages | {root / name for name in (LOCK, "params.yaml")}
        return sorted(
            path.relative_to(root).as_posix()
            for path in wanted
            if path.is_relative_to(root) and path.is_file() and not any(path.is_relative_to(out) for out in tracked)
        )


def results_in_git(folder: Path = Path()) -> list[str]:
    """What a run leaves to git: dvc.lock, metrics, plots, tables, DVC's .gitignore files; whether they exist or not.

    Raises:
        FlowError: as `read_stages`.
    """
    with open_project(folder) as repo:
        # Images under DVC are no results.
        outs = [out for stage in repo.index.stages if stage.cmd for out in stage.outs]
        kept = {Path(out.fs_path) for out in outs if not out.use_cache}
        ignores = {Path(out.fs_path).parent / ".gitignore" for out in outs if out.use_cache}
        return [str(LOCK), *sorted(path.relative_to(repo.root_dir).as_posix() for path in kept | ignores)]


def kept_outputs(stages: Collection[str] | None) -> list[tuple[str, str]]:
    """The outputs of these stages, or of all, that DVC keeps: absolute path, checksum. Also while other stages run."""
    with open_project() as repo:
        wanted = [stage for stage in repo.index.stages if stages is None or stage.addressing in stages]
        outputs = [out for stage in wanted for out in stage.outs if out.use_cache and out.hash_info]
        return [(out.fs_path, out.hash_info.value) for out in outputs if out.hash_info.name == "md5"]


def checksum_of(path: str) -> str | None:
    """The checksum that DVC has of an output; None if no run has made it."""
    with open_project() as repo:
        found = (out for out in repo.index.outs if Path(out.fs_path) == Path(repo.root_dir, path))
        return next((out.hash_info.value for out in found if out.hash_info), None)


@dataclass(frozen=True)
class Storage:
    """Where the contents of DVC's outputs are kept now.

    Attributes:
        cache: a directory.
        remote: the name of the default one.
    """

    cache: str
    remote: str | None


def read_storage(folder: Path = Path()) -> Storage:
    """Read where the contents of outputs are kept.

    Raises:
        FlowError: as `read_stages`, or the project is a folder inside a git repository: DVC finds no revision of it.
    """
    with open_project(folder) as repo:
        if not Path(repo.root_dir, ".git").exists():
            raise FlowError(f"expected a git repository in the project's own folder, found none in {repo.root_dir}")
        return Storage(repo.cache.local_cache_dir, repo.config["core"].get("remote"))


@contextmanager
def open_project(folder: Path = Path()) -> Iterator[Any]:
    """Open a project as DVC's own object, which is no public API; raises FlowError as `read_stages`.

    No other process writes dvc.lock meanwhile; the lock is waited for, and may be taken again inside.
    """
    require_project(folder)
    if (folder / LOCK).exists() and read_lock(folder) is None:
        raise Torn(
            f"{folder / LOCK}: only a part of it is here, or none: `git checkout -- {LOCK}` or `rm {LOCK}`, run again"
        )

    # A folder that is named may be a snapshot of a commit, which is no repository.
    if folder == Path():
        require_tools()
    from dvc.exceptions import DvcException
    from dvc.repo import Repo, lock_repo

    guard()
    try:
        with Repo(str(folder), _wait_for_lock=True) as repo, lock_repo(repo):
            yield repo
    except DvcException as error:
        raise FlowError(reason_of(error)) from None
    except UnicodeEncodeError as error:
        # DVC keeps paths in a database of text.
        raise FlowError(f"{visible(error.object)}: expected names of files in UTF-8: rename it") from None


def reason_of(error: Exception) -> str:
    """What an exception of DVC says, in one line."""
    causes = [error]
    while (cause := causes[-1].__cause__) and isinstance(cause, Exception):
        causes.append(cause)
    # DVC's own words; the innermost cause says where.
    texts = dict.fromkeys(" ".join(str(cause).split()) for cause in (causes[0], causes[-1]))
    return ": ".join(text for text in texts if text)


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
