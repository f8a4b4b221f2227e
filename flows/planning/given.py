"""Images as somebody names them on the command line: a folder, an archive, an address or a csv."""

import difflib
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from flows.planning.errors import UsageError
from flows.project.parameters import read_parameters
from flows.project.source import PLACEHOLDER
from safety.text import is_utf8, redacted

_WAYS = "expected a folder of images, a zip or tar, an address that starts with http(s)://, or a csv beside the images"
_OUTPUTS = ("outs", "metrics", "plots")


@dataclass(frozen=True)
class Given:
    """Images on this machine or at an address, as the parameters name them.

    Attributes:
        values: of parameters, by their keys.
        title: what to call them.
    """

    values: dict[str, Any]
    title: str


def understand(text: str, where: Path, project: Path) -> Given:
    """Take what somebody typed as a source of images.

    Args:
        text: a path, where `~` is the home folder and one that is not absolute starts at `where`; Windows' way of
            writing counts where nothing of that very name is there. Or an address, or the path of a csv.
        where: the folder that it was typed in.
        project: the project's own folder.

    Raises:
        UsageError: nothing is there, or it is the project's own.
    """
    if re.match("https?://", text, re.IGNORECASE):
        return Given(
            {"download.source": "url", "download.path": str(PLACEHOLDER), "download.url": text}, redacted(text)
        )
    if scheme := re.match(r"([a-z][a-z0-9+.-]+)://", text, re.IGNORECASE):
        if scheme[1].lower() != "file":
            raise UsageError(f"{text}: {_WAYS}; `dvc import-url` fetches what lies elsewhere")
        text = urllib.request.url2pathname(urllib.parse.urlsplit(text).path)
    place = _existing(text, where)
    if not is_utf8(place):
        raise UsageError(f"{text}: expected names of files in UTF-8: rename it")
    is_table = place.is_file() and place.suffix.casefold() == ".csv"
    images = place.parent if is_table else place
    _require_own(images, project)
    inside = images.is_relative_to(project)
    path = images.relative_to(project).as_posix() if inside else str(images)
    values = {"download.source": "folder", "download.path": path}
    return Given(values | ({"split.labels": place.name} if is_table else {}), path)


def own_labels(labels: Any, given: Given, project: Path) -> bool:
    """Whether `split.labels` names a csv that the given images do not have: it belongs to others."""
    if not (isinstance(labels, str) and labels.casefold().endswith(".csv")) or "split.labels" in given.values:
        return False
    folder = project / given.values["download.path"]
    return given.values["download.source"] == "url" or (folder.is_dir() and not (folder / labels).is_file())


def _existing(text: str, where: Path) -> Path:
    if not text.strip() or "\0" in text:
        raise UsageError(f"{text!r}: {_WAYS}")
    for candidate in _readings(text):
        place = Path(os.path.normpath(where / candidate))
        try:
            if place.exists():
                return place
        except OSError:
            continue
    # Nobody who types `~` means a folder of that name.
    meant = [one for one in _readings(text) if not str(one).startswith("~")] or [Path(text)]
    place = Path(os.path.normpath(where / meant[0]))
    raise UsageError(f"{text}: nothing is there ({place}){_nearest(place)}; {_WAYS}")


def _readings(text: str) -> Iterator[Path]:
    """The paths that a text may mean, the first that is there counts."""
    yield Path(text)
    with suppress(RuntimeError):
        yield Path(text).expanduser()
    if "\\" in text or re.match("[A-Za-z]:", text):
        windows = PureWindowsPath(text)
        if windows.drive and windows.root:
            # Where Linux runs within Windows, its drives lie here.
            yield Path("/mnt", windows.drive[0].lower(), *windows.parts[1:])
        elif not windows.drive:
            yield Path(windows.as_posix())


def _nearest(place: Path) -> str:
    try:
        names = [one.name for one in place.parent.iterdir()]
    except OSError:
        return ""
    found = difflib.get_close_matches(place.name, names, 1)
    return f"; is {found[0]} meant?" if found else ""


def _require_own(images: Path, project: Path) -> None:
    """Refuse what a run would overwrite, and a folder that holds the project: its results would become images."""
    real, root = images.resolve(), project.resolve()
    if root.is_relative_to(real):
        raise UsageError(f"{images}: holds the project itself; expected a folder with nothing but images")
    if real == root / PLACEHOLDER:
        raise UsageError(f"{images}: stands for no images; put yours into another folder")
    for out in _outputs(root):
        if real.is_relative_to(out) or out.is_relative_to(real):
            what = out.relative_to(root)
            raise UsageError(f"{images}: a run writes {what} there; put your images into a folder of their own")


def _outputs(root: Path) -> Iterator[Path]:
    """What the stages of dvc.yaml write, of a `foreach` stage the part that all of its items share."""
    stages = read_parameters(root / "dvc.yaml").get("stages", {})
    for stage in stages.values():
        body = stage.get("do", stage)
        for entry in [entry for kind in _OUTPUTS for entry in body.get(kind, [])]:
            path = next(iter(entry)) if isinstance(entry, dict) else entry
            yield root / path.partition("${")[0].rstrip("/")
    yield root / ".dvc"
    yield root / ".git"
