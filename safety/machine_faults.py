"""What the system refuses whoever asks: a full disk, a folder that may not be written; in one line with what to do."""

import errno
import os

# Every other error of the system is a bug of ours.
_WAYS_OUT = {
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


def machine_fault(error: OSError) -> str | None:
    """What an error of the system says of the machine, in one line; None if it may be a bug of ours."""
    if error.errno not in _WAYS_OUT:
        return None
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes | os.PathLike) else ""
    return f"{where}{os.strerror(error.errno)}: {_WAYS_OUT[error.errno]}"
