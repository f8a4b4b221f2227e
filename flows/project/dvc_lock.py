"""dvc.lock, which says of every stage what its last run read and made."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAMLError

from flows.errors import FlowError
from flows.project.parameters import load
from flows.project.records import check_lock

LOCK = Path("dvc.lock")


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
