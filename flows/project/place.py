"""Which project a command is for, and where its user typed it: any folder of the project will do, or `--project`."""

import os
import sys
from pathlib import Path

from flows.errors import FlowError

VARIABLE = "SMALLSET_PROJECT"
MARK = "dvc.yaml"
_typed_in: list[Path] = []


def enter(named: Path | None) -> Path | None:
    """Stand in a project from now on; paths that the user typed are read by `as_typed` then.

    Args:
        named: the project's folder, as typed; else the nearest above the working directory, itself included.

    Returns:
        The project's folder; None where there is none: the command says so, if it needs one.

    Raises:
        FlowError: the named folder holds no project.
    """
    # Who is started from here works on what it is told, not on this once more.
    os.environ.pop(VARIABLE, None)
    here = Path.cwd()
    if named is None:
        folder = find(here)
    else:
        folder = here / named.expanduser()
        if not (folder / MARK).is_file():
            raise FlowError(f"--project {named}: expected the folder of a project, found no {MARK} in it")
    _typed_in[:] = [here]
    if folder is not None and folder != here:
        os.chdir(folder)
    return folder


def find(start: Path) -> Path | None:
    """The nearest folder with a project, from an absolute one upwards; none that belongs to somebody else.

    A run carries out what the project says, and whoever may write to a folder above could put one there.
    """
    for folder in (start, *start.parents):
        if (folder / MARK).is_file() and (folder == start or _is_of_the_same(folder / MARK, start)):
            return folder
    return None


def _is_of_the_same(file: Path, start: Path) -> bool:
    """Whether a file belongs to this user, or to whom the folder belongs that he has gone into."""
    users = {start.stat().st_uid}
    # Windows has no numbers of users: every file is 0 there.
    if sys.platform != "win32":
        users.add(os.geteuid())
    return file.stat().st_uid in users


def typed_in() -> Path:
    """The folder in which the user typed the command."""
    return _typed_in[0] if _typed_in else Path.cwd()


def as_typed(path: Path) -> Path:
    """The path that a user means who typed it, `~` included: from where he was, not from the project's folder."""
    path = path.expanduser()
    return path if path.is_absolute() or typed_in() == Path.cwd() else typed_in() / path
