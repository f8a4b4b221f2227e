"""`smallset doctor`: room on the disks, versions of the packages, the site cache."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from flows.errors import FlowError
from flows.operating.check import Check, failure, ok, warning
from flows.project.outputs import read_storage
from flows.project.site_cache import VARIABLE, is_private
from flows.retraining import checkout_places
from safety.words import first_and_more

_LOCK = Path("requirements.lock")
_SCARCE, _LITTLE = 1 << 30, 5 << 30  # bytes free
_MOST = 4  # packages named


def look() -> list[Check]:
    """Is there room, are the packages those of requirements.lock, and is DVC's site cache this user's own?"""
    return [*_disks(), _versions(), _site_cache()]


def _disks() -> Iterator[Check]:
    places = [Path().resolve()]
    with suppress(FlowError):
        places.append(checkout_places.home())
    with suppress(FlowError):
        places.append(Path(read_storage().cache))
    seen: set[int] = set()
    for place in places:
        there = next(one for one in (place, *place.parents) if one.exists())
        device = there.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(there).free
        found, todo = (
            f"{free / (1 << 30):,.1f} GiB free at {there}",
            "`smallset clean --keep 20 --dry-run` says what may go",
        )
        if free < _SCARCE:
            yield failure("disk", found, todo)
        elif free < _LITTLE:
            yield warning("disk", found, todo)
        else:
            yield ok("disk", found)


def _versions() -> Check:
    python = ".".join(map(str, sys.version_info[:3]))
    if not _LOCK.is_file():
        return ok("versions", f"Python {python}; no {_LOCK} here to compare with")
    others = list(_others(_LOCK.read_text(encoding="utf-8")))
    if not others:
        return ok("versions", f"Python {python}; all packages are those of {_LOCK}")
    return warning("versions", f"not as {_LOCK}: {first_and_more(others, _MOST)}", "`make .venv/ready`")


def _others(lock: str) -> Iterator[str]:
    for line in lock.splitlines():
        if not line or line[0] in " #-":
            continue
        try:
            wanted = Requirement(line.rstrip("\\ ").strip())
        except InvalidRequirement:
            continue
        if wanted.marker and not wanted.marker.evaluate():
            continue
        pinned = str(wanted.specifier).removeprefix("==")
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            yield f"{wanted.name} {pinned} (found none)"
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            yield f"{wanted.name} {pinned} (found {found})"


def _site_cache() -> Check:
    folder = Path(os.environ.get(VARIABLE, ""))
    there = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
    # DVC opens its own folder to others; that around it is closed.
    if is_private(there) or is_private(there.parent):
        return ok("site cache", f"{folder} is this user's own")
    todo = f"unset {VARIABLE}, or let it name a folder that others may not write (docs/security.md)"
    return warning("site cache", f"{folder}: others may write there what runs as this user", todo)
