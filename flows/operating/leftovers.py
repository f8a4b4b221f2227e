"""`smallset doctor`: what runs left that were interrupted."""

import time
from pathlib import Path

from flows.operating.check import Check, ok, warning
from flows.operating.schedule import checkouts
from flows.project.workspace import LOCK, takes
from flows.retraining import checkout_places

_OLD = 600.0  # seconds: no command of git takes that long with a lock
_LOCKS = ("index.lock", "HEAD.lock", "packed-refs.lock", "config.lock", "shallow.lock")


def look() -> list[Check]:
    """Did a run, a clone or a command of git end in the middle, here or in a checkout?"""
    checks = []
    for place in dict.fromkeys([Path().resolve(), *checkouts()]):
        if is_at_work(place):
            checks.append(ok("at work", f"a run is at work in {place}"))
        else:
            checks += _in(place)
    return checks or [ok("leftovers", "none of interrupted runs")]


def is_at_work(place: Path) -> bool:
    """Whether a run has a folder: its own lock, or that of the run's checkout."""
    return any(_is_locked(lock) for lock in (place / LOCK, checkout_places.lock_of(place)))


def _is_locked(lock: Path) -> bool:
    try:
        with lock.open("r+") as file:
            return not takes(file)
    except OSError:
        return False


def _in(place: Path) -> list[Check]:
    checks = []
    if (place / checkout_places.UNFINISHED).exists():
        checks.append(warning("interrupted run", f"in {place}", "the next `smallset retrain` there goes on with it"))
    if (place / ".smallset" / "training").is_dir() and any((place / ".smallset" / "training").iterdir()):
        checks.append(warning("interrupted training", f"in {place}", "the next run goes on from its last epoch"))
    partial = checkout_places.partial_of(place)
    if checkout_places.made_of(partial) is not None:
        checks.append(warning("interrupted clone", str(partial), "the next `smallset retrain` removes it"))
    if locks := [name for name in _LOCKS if _is_old(place / ".git" / name)]:
        found = f"{', '.join(locks)} in {place / '.git'}"
        checks.append(warning("locks of git", found, "where no git is at work there, remove them"))
    return checks


def _is_old(file: Path) -> bool:
    try:
        return time.time() - file.stat().st_mtime > _OLD
    except OSError:
        return False
