"""A project as DVC's own object, for what DVC's commands do not tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.errors import FlowError
from flows.project.dvc_guard import guard
from flows.project.dvc_lock import LOCK, read_lock
from flows.project.readiness import require_tools
from flows.project.workspace import require_project
from safety.text import visible


class Torn(FlowError):
    """A full disk, or an end while DVC wrote it, has left a part of dvc.lock."""


@contextmanager
def open_project(folder: Path = Path()) -> Iterator[Any]:
    """Open a project as DVC's own object, which is no public API.

    No other process writes dvc.lock meanwhile; the lock is waited for, and may be taken again inside.

    Raises:
        Torn: only a part of dvc.lock is there.
        FlowError: no project, no readable dvc.yaml, no git repository, or whatever DVC raises while it is open.
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
