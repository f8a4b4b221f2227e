"""What a stage needs from other stages, and what it leaves to them; for a stage that runs in another workspace."""

import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from flows.errors import FlowError
from flows.project.dvc_lock import LOCK, read_lock
from flows.project.dvc_repo import open_project
from flows.project.git import git, resolve
from flows.project.outputs import results_in_git
from flows.project.whole_file import write_whole

ALWAYS = ("dvc.yaml", str(LOCK), "params.yaml")  # may differ from the commit: they are handed over


def clean_commit() -> str:
    """The commit that is checked out.

    Raises:
        FlowError: there is none, or something differs from it that is not handed over.
    """
    commit = resolve("HEAD")
    if commit is None:
        raise FlowError("workers need a commit: what is here has none")
    known = [Path(path) for path in (*ALWAYS, *results_in_git())]
    for path in git("diff", "--name-only", "-z", "HEAD").split("\0"):
        if path and not any(Path(path).is_relative_to(one) for one in known):
            raise FlowError(
                f"workers run what is committed: {path} differs from commit {commit[:8]}: commit and push it"
            )
    return commit


@dataclass(frozen=True)
class Needs:
    """Paths, relative to the project, of one stage.

    Attributes:
        pulled: outputs of other stages that it reads and DVC keeps.
        given: those that DVC does not keep, and its own.
        made: its own outputs that DVC does not keep.
        only_here: a dependency that neither the commit nor DVC has; or None.
    """

    pulled: tuple[str, ...]
    given: tuple[str, ...]
    made: tuple[str, ...]
    only_here: str | None


def read_needs() -> dict[str, Needs]:
    """Read the needs of every stage of the project in the working directory, by its name.

    Raises:
        FlowError: dvc.yaml or dvc.lock cannot be read.
    """
    with open_project() as repo:
        root = Path(repo.root_dir)
        stages = [stage for stage in repo.index.stages if stage.cmd]
        outs = {Path(out.fs_path): out.use_cache for stage in repo.index.stages for out in _local(stage.outs)}
        read = {stage.addressing: [Path(dep.fs_path) for dep in _local(stage.deps)] for stage in stages}
        handed = {root / name for name in ALWAYS}
        plain = {path for paths in read.values() for path in paths if not any(_overlapping(path, outs))} - handed
        tracking = {Path(stage.path): _local(stage.outs) for stage in repo.index.stages if not stage.cmd}
        missing = _not_in_git(root, plain | set(tracking))
        # What DVC tracks here by a file that no clone has.
        missing |= {Path(out.fs_path) for file in missing & set(tracking) for out in tracking[file]}
        return {
            stage.addressing: _needs(
                root, read[stage.addressing], outs, [Path(out.fs_path) for out in _local(stage.outs)], missing
            )
            for stage in stages
        }


def _local(entries: Iterable[Any]) -> list[Any]:
    """Dependencies or outputs that are files of this machine, rather than addresses."""
    return [entry for entry in entries if entry.protocol == "local"]


def _needs(
    root: Path, deps: Sequence[Path], outs: Mapping[Path, bool], made: Sequence[Path], missing: Iterable[Path]
) -> Needs:
    read = {out for dep in deps for out in _overlapping(dep, outs)}
    only_here = next((path for path in deps if any(_overlapping(path, missing))), None)
    unkept = [out for out in made if not outs[out]]
    return Needs(
        pulled=_relative(root, (out for out in read if outs[out])),
        given=_relative(root, {*(out for out in read if not outs[out]), *unkept}),
        made=_relative(root, unkept),
        only_here=os.path.relpath(only_here, root) if only_here else None,
    )


def _overlapping(path: Path, others: Iterable[Path]) -> Iterator[Path]:
    return (other for other in others if path.is_relative_to(other) or other.is_relative_to(path))


def _relative(root: Path, paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(sorted(path.relative_to(root).as_posix() for path in paths))


def _not_in_git(root: Path, paths: Iterable[Path]) -> set[Path]:
    """Those files of these paths that a clone of the repository would not have."""
    inside = [path for path in paths if path.resolve().is_relative_to(root.resolve())]
    outside = {path for path in paths if path not in inside}
    if not inside:
        return outside
    listed = git(
        "ls-files",
        "--others",
        "--exclude=__pycache__/",
        "-z",
        "--",
        *map(str, inside),
        folder=root,
    )
    return outside | {root / name for name in listed.split("\0") if name}


def read_files(paths: Iterable[str]) -> dict[str, bytes]:
    """The contents of files, and of all files in folders, by path; of those that exist."""
    found: dict[str, bytes] = {}
    for path in map(Path, paths):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        found |= {file.as_posix(): file.read_bytes() for file in files if file.is_file()}
    return found


def write_files(files: Mapping[str, bytes]) -> None:
    """Write contents by path; a file that has them already is left alone."""
    for name, content in files.items():
        path = Path(name)
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def read_entry(name: str) -> Any:
    """The entry of a stage in dvc.lock; None where it has none."""
    return (read_lock() or {}).get("stages", {}).get(name)


def read_given(needs: Needs) -> dict[str, bytes]:
    """What git and DVC's remote lack of a stage's needs, as it is now; also while other stages run."""
    with open_project():
        ignores = {Path(path).parent / ".gitignore" for path in needs.pulled}
        return read_files([*ALWAYS, *needs.given, *map(str, ignores)])


def merge_entry(name: str, entry: Mapping[str, Any], order: Sequence[str]) -> None:
    """Write a stage's entry into dvc.lock, as DVC would have, had the stage run here; also while other stages run.

    Args:
        order: of the stages; a new entry comes before those of later stages.
    """
    yaml = YAML()
    yaml.default_flow_style = False
    later = order[order.index(name) + 1 :]
    with open_project() as repo:
        content: Any = (
            yaml.load(LOCK.read_text(encoding="utf-8")) if LOCK.is_file() else {"schema": "2.0", "stages": {}}
        )
        entries = dict(content["stages"])
        known = list(entries)
        first_later = next((place for place, one in enumerate(known) if one in later), len(known))
        place = known.index(name) if name in known else first_later
        entries.pop(name, None)
        others = list(entries.items())
        content["stages"] = dict([*others[:place], (name, entry), *others[place:]])
        text = io.StringIO()
        yaml.dump(content, text)
        write_whole(LOCK, text.getvalue())
        next(stage for stage in repo.index.stages if stage.addressing == name).ignore_outs()
