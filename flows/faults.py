"""Faults of the machine that meet any command: a full disk, a folder that may not be written, what is not installed."""

import errno
import os

from flows.errors import FlowError

# What the system refuses whoever asks; every other error of the system is a bug of ours.
_OF_THE_MACHINE = {
    errno.ENOSPC: "free some space, run again",
    errno.EDQUOT: "free some space, run again",
    errno.EROFS: "expected a folder that may be written",
    errno.EACCES: "expected a file or folder that this user may use",
    errno.EPERM: "expected a file or folder that this user may use",
    errno.ENAMETOOLONG: "expected a shorter name",
    errno.ELOOP: "expected a link that leads somewhere",
    errno.ENOTDIR: "expected a folder where a file is",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "raise the limit of open files",
    errno.ENOMEM: "give it more memory",
    errno.EIO: "look at the disk",
    errno.ESTALE: "look at the network file system",
    errno.ENOTCONN: "look at the network file system",
}
_NEEDED = ("dvc", "prefect", "typer", "git")


def fault_of(error: BaseException) -> FlowError | None:
    """What an exception says of the machine, in one line; None if it may be a bug of ours."""
    if isinstance(error, FlowError):
        return error
    for one in chain(error):
        if isinstance(one, OSError) and one.errno in _OF_THE_MACHINE:
            where = f"{os.fsdecode(one.filename)}: " if isinstance(one.filename, str | bytes | os.PathLike) else ""
            return FlowError(f"{where}{os.strerror(one.errno)}: {_OF_THE_MACHINE[one.errno]}")
        if isinstance(one, ModuleNotFoundError) and (one.name or "").partition(".")[0] in _NEEDED:
            return FlowError(f"{one.name}: not installed here: `make .venv/ready` makes the environment")
        if type(one).__name__ == "OperationalError" and _is_full_database(str(one)):
            return FlowError(f"a database of DVC or Prefect: {str(one).splitlines()[0]}: free some space, run again")
    return None


def chain(error: BaseException | None) -> list[BaseException]:
    """An exception, its members if it is a group, and what they come from."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or any(one is known for known in found):
            continue
        found.append(one)
        context = None if one.__suppress_context__ else one.__context__
        waiting += [*getattr(one, "exceptions", ()), one.__cause__, context]
    return found


def _is_full_database(text: str) -> bool:
    return any(words in text for words in ("disk is full", "readonly database", "unable to open database", "disk I/O"))
