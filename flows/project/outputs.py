"""The outputs of a project's stages: who makes them, which of them git keeps, and where DVC keeps the others."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.project.dvc_lock import LOCK
from flows.project.dvc_repo import Torn, open_project
from flows.project.readiness import require_own_repository


def read_makers() -> dict[str, str]:
    """Name the stage that makes each output, by the output's path.

    Raises:
        FlowError: as `open_project`.
    """
    try:
        with open_project() as repo:
            return _makers(repo)
    except Torn:
        return {}


def _makers(repo: Any) -> dict[str, str]:
    outs = [out for stage in repo.index.stages if stage.cmd for out in stage.outs]
    return {Path(out.fs_path).relative_to(repo.root_dir).as_posix(): out.stage.addressing for out in outs}


def files_in_git(folder: Path = Path()) -> list[str]:
    """Files of the pipeline that git keeps: dvc.yaml, dvc.lock, parameters, code, metrics and plots; those that exist.

    Raises:
        FlowError: as `open_project`.
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
        FlowError: as `open_project`.
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
        FlowError: as `open_project`, or the project is a folder inside a git repository: DVC finds no revision of it.
    """
    with open_project(folder) as repo:
        require_own_repository(repo.root_dir)
        return Storage(repo.cache.local_cache_dir, repo.config["core"].get("remote"))
