"""A site cache of DVC that belongs to this user alone.

DVC keeps what it knows of files in pickles, by default in /var/tmp/dvc, where every user of the machine may write: who
plants one there becomes whoever runs DVC next.
"""

import atexit
import os
import shutil
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

VARIABLE = "DVC_SITE_CACHE_DIR"


def settle() -> None:
    """Have DVC, here and in every process that is started from here, use a folder of this user's, unless one is set.

    It lies below ~/.cache/smallset. Where others may write there, or nobody may, one is made that ends with this
    process: DVC then looks at every file anew.
    """
    if os.environ.get(VARIABLE):
        return
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "smallset"
    # A user may be a number without a home, as in containers.
    with suppress(OSError, RuntimeError):
        folder = folder.expanduser()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_private(folder):
        folder = Path(tempfile.mkdtemp(prefix="smallset-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[VARIABLE] = str(folder / "dvc")


def is_private(folder: Path) -> bool:
    """Whether nobody else could have put anything there."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    if sys.platform == "win32":
        # Below a user's own folder only he and the administrators may write, which no mode says.
        return stat.S_ISDIR(found.st_mode) and os.access(folder, os.W_OK)
    own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return own and not found.st_mode & 0o077 and os.access(folder, os.W_OK)
