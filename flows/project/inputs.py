"""Whether the images that the parameters name are here, and are those that DVC tracks."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flows.errors import FlowError
from flows.project.git import git
from flows.project.source import PLACEHOLDER, read_download

State = Literal["missing", "modified"]
_VERSIONED = (
    "commit and push it, or what `dvc add`, `dvc import` or `dvc import-url` makes of it (then `dvc push`); or set "
    "download.path to an absolute path of this machine"
)


@dataclass(frozen=True)
class Tracked:
    """Images that `dvc add`, `dvc import` or `dvc import-url` has put under DVC.

    Attributes:
        file: what git keeps of them, such as birds.dvc.
        path: where they lie.
        state: None if what lies there is what the file says.
        imported: from elsewhere, rather than added here.
    """

    file: str
    path: str
    state: State | None
    imported: bool


def find_tracked(repo: Any, path: str) -> list[Tracked]:
    """What DVC tracks, beside the outputs of stages, at a path, above or below it.

    Args:
        repo: DVC's own object of the project.
        path: relative to the project, or absolute.
    """
    place = Path(os.path.normpath(Path(repo.root_dir, path)))
    return list(_tracked(repo, place))


def _tracked(repo: Any, place: Path) -> Iterator[Tracked]:
    for stage in repo.index.stages:
        if stage.cmd:
            continue
        for out in stage.outs:
            found = Path(out.fs_path)
            if found.is_relative_to(place) or place.is_relative_to(found):
                file, path = (os.path.relpath(one, repo.root_dir) for one in (stage.path, found))
                yield Tracked(file, path, _state(out), stage.is_import)


def _state(out: Any) -> State | None:
    # Not DVC's own status, which looks at its cache first: that may lack what is here, and the other way round.
    if not out.exists:
        return "missing"
    return "modified" if out.changed_checksum() else None


def require_images(repo: Any) -> None:
    """Make sure that what `download.path` names is here, and as DVC tracks it, if it does.

    Images that differ from what DVC tracks would train here, and others in every clone.

    Raises:
        FlowError: it is not; the message says how to mend it.
    """
    download = read_download(Path(repo.root_dir))
    path = download.get("path")
    if not isinstance(path, str):
        return
    for one in find_tracked(repo, path):
        if one.state == "missing":
            raise FlowError(
                f"download.path: {path}: DVC tracks {one.path}, and it is not here: `dvc checkout {one.file}` lays it "
                f"down, `dvc pull {one.file}` fetches it"
            )
        if one.state == "modified":
            keep = "dvc commit" if one.imported else "dvc add"
            name = one.file if one.imported else one.path
            raise FlowError(
                f"download.path: {one.path} is not what {one.file} says: `{keep} {name}` if what is here is right, "
                f"`dvc checkout {one.file}` if what git has is"
            )
    if not Path(repo.root_dir, path).exists():
        raise FlowError(f"download.path: {path}: nothing is there; {_ways_out(download)}")
    _require_seen(Path(repo.root_dir), path)


def _require_seen(root: Path, path: str) -> None:
    """Refuse images of which DVC would see no change: inside a project it looks into no other one."""
    place = _inside(root, path)
    if place is None:
        return
    above = [folder for folder in place.parents if folder != root and folder.is_relative_to(root)]
    if other := next((folder for folder in (*above, *_folders(place)) if os.path.lexists(folder / ".dvc")), None):
        raise FlowError(
            f"download.path: {path}: {other.relative_to(root)} is a project of DVC of its own, into which DVC does not "
            "look from here, so no change of its images would be seen: move it out of this project, and set "
            "download.path to where it is"
        )


def _folders(place: Path) -> Iterator[Path]:
    """A folder and those below it that may hold images."""
    for folder, below, _ in os.walk(place):
        yield Path(folder)
        below[:] = [name for name in below if not name.startswith(".")]


def _ways_out(download: dict[str, Any]) -> str:
    source, path = download.get("source"), download["path"]
    if source != "folder":
        return (
            f"with download.source: {source} set it to {PLACEHOLDER} (`git checkout {PLACEHOLDER}` brings that back); "
            "for images of your own set download.source: folder"
        )
    if path.startswith("~"):
        return f"`~` stands for nothing here: write it out, as {Path(path).expanduser()}"
    return (
        "put your images there, or set it to where they are (`dvc pull` and `dvc checkout` bring what DVC tracks); "
        f"if drawings are meant, set download.source: sample and download.path: {PLACEHOLDER}"
    )


def require_known(repo: Any) -> list[Tracked]:
    """Make sure that git or DVC knows a relative `download.path`, in a clean checkout, and remove what neither knows.

    Returns:
        What DVC tracks of it.

    Raises:
        FlowError: neither knows it: it lies on one machine only, or leads out of the checkout.
    """
    download, root = read_download(Path(repo.root_dir)), Path(repo.root_dir)
    path = download.get("path")
    if download.get("source") != "folder" or not isinstance(path, str):
        return []
    place = _inside(root, path)
    if place is None:
        if Path(path).is_absolute():
            return []
        raise FlowError(f"download.path: {path} leads out of the checkout that this runs in; {_VERSIONED}")
    tracked = find_tracked(repo, path)
    if not tracked and not git("ls-files", "--", str(place), folder=root):
        raise FlowError(f"download.path: {path}: neither git nor DVC has it; {_VERSIONED}")
    _remove_unknown(root, place, tracked)
    return tracked


def remove_unknown(repo: Any) -> None:
    """Remove, in a clone that nobody works in, what lies at `download.path` and neither git nor DVC knows."""
    download, root = read_download(Path(repo.root_dir)), Path(repo.root_dir)
    path = download.get("path")
    if download.get("source") == "folder" and isinstance(path, str) and (place := _inside(root, path)):
        _remove_unknown(root, place, find_tracked(repo, path))


def _inside(root: Path, path: str) -> Path | None:
    place = Path(os.path.normpath(root / path))
    return place if place.is_relative_to(root) and place != root else None


def _remove_unknown(root: Path, place: Path, tracked: list[Tracked]) -> None:
    # What an earlier commit had, and git ignores, would be taken for images of this one.
    kept = [f"--exclude=/{_literal(one.path)}" for one in tracked]
    if place.exists():
        git("clean", "-ffdxq", *kept, "--", str(place), folder=root)


def _literal(path: str) -> str:
    """A path as a pattern of git that matches nothing else."""
    return "".join(f"\\{letter}" if letter in "\\*?[ " else letter for letter in path)
