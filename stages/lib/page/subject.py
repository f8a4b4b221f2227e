"""What the report is about: the task, and the images that it was done with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from safety.text import redacted
from safety.words import listed

_NAMED = 4  # classes named in the title, where there are no more
_EXAMPLES = 3  # classes named where there are more
_LONGEST = 32  # characters of a name in the title


@dataclass(frozen=True)
class Subject:
    """The title of the page.

    Attributes:
        task: such as "cat or dog".
        data: where the images come from.
        images: of all subsets.
    """

    task: str
    data: str
    images: int


def subject(classes: Sequence[str], images: int, parameters: Mapping[str, Any]) -> Subject:
    """Name the task by its classes, and the data by their source.

    Args:
        classes: names.
        images: of all subsets.
        parameters: sections of params.yaml.
    """
    return Subject(_task(classes), _data(parameters.get("download") or {}), images)


def _task(classes: Sequence[str]) -> str:
    if len(classes) <= _NAMED:
        return listed([_short(name) for name in classes], "or")
    first = ", ".join(_short(name) for name in classes[:_EXAMPLES])
    return f"{len(classes):,} classes: {first} and {len(classes) - _EXAMPLES:,} more"


def _data(download: Mapping[str, Any]) -> str:
    """Where the images come from, without secrets and without the folders above."""
    source = download.get("source")
    if source == "folder":
        return f"images of {_short(PurePath(str(download.get('path', ''))).name) or 'a folder'}"
    if source == "url":
        address = urlsplit(str(download.get("url") or ""))
        name = redacted(PurePosixPath(address.path).name or address.hostname or "")
        return f"images of {_short(name) or 'an address'}"
    if source == "kaggle":
        return f"images of {_short(str(download.get('competition', '')))}, Kaggle"
    return {"sample": "drawn images", "digits": "handwritten digits"}.get(str(source), "images")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
