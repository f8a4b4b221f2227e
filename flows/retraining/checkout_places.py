"""Where the checkouts of scheduled runs lie, and whether what lies there is one: anybody's folder may be."""

import hashlib
import os
import re
from pathlib import Path

from flows.errors import FlowError
from flows.project.git import GitError, git
from flows.project.git_names import check_repository

UNFINISHED = Path(".smallset") / "unfinished"  # there while a run is at work, and after one that was killed
_LONGEST = 200  # bytes of repository and branch in the name of a checkout
ORIGIN = "smallset.checkoutOf"  # in the git configuration of a checkout: the repository


def default_folder(repository: str, branch: str) -> Path:
    """Where the checkout of a branch of a repository lies if nobody says where."""
    # `.` is another repository in every folder.
    address = address_of(repository)
    digest = hashlib.sha256(f"{address} {branch}".encode()).hexdigest()[:12]
    name = f"{Path(address.rstrip('/')).stem or 'repository'}-{branch.replace('/', '-')}"
    # No file system takes any length; the digest tells them apart.
    return home() / f"{os.fsencode(name)[:_LONGEST].decode(errors='ignore')}-{digest}"


def home() -> Path:
    """The folder of all checkouts that nobody has put elsewhere.

    Raises:
        FlowError: this user has no home.
    """
    try:
        return Path.home() / ".smallset" / "checkouts"
    except RuntimeError:
        raise FlowError("HOME: expected a folder of this user, found none: set it, or give --checkout") from None


def address_of(repository: str) -> str:
    """A repository as it is called from any folder.

    Raises:
        FlowError: it has a password in it, which Prefect and the checkout's configuration would keep, or is of a kind
            that runs commands.
    """
    if re.match(r"[a-z0-9+.-]+://[^/?#]*:[^/?#]*@", repository, re.IGNORECASE):
        raise FlowError(f"{repository}: expected an address without a password: let git's credential helper know it")
    try:
        if Path(repository).exists():
            return str(Path(repository).resolve())
    except (OSError, ValueError):
        pass  # no name of a file
    return check_repository(repository)


def lock_of(folder: Path) -> Path:
    """The file beside a checkout that whoever works in it has locked."""
    return folder.with_name(f"{folder.name}.lock")


def partial_of(folder: Path) -> Path:
    """Where a checkout lies while it is cloned."""
    return folder.with_name(f"{folder.name}.partial")


def made_of(folder: Path) -> str | None:
    """The repository that a run has cloned into a folder; None for all else, such as a worktree of a checkout."""
    config = folder / ".git" / "config"
    if folder.is_symlink() or config.parent.is_symlink() or not config.is_file():
        return None
    try:
        # By its file: in a folder that git takes for none, it would look further up.
        return git("config", "--file", str(config), "--default", "", ORIGIN, folder=folder) or None
    except GitError:
        return None


def refuse_others(address: str, folder: Path) -> None:
    """Make sure that a run may lay its files down in a folder: everything that no run has made would be lost there.

    Args:
        address: of the repository, as `address_of` gives it.
        folder: of the checkout, which may be absent.

    Raises:
        FlowError: it is a file, another folder, somebody's repository, or the checkout of another repository.
    """
    if not os.path.lexists(folder):
        return
    expected = f"{folder}: expected a checkout that an earlier run made, or nothing; found"
    if not (folder / ".git").exists():
        raise FlowError(f"{expected} {'another folder' if folder.is_dir() else 'a file'}")
    found = made_of(folder)
    if found is None:
        raise FlowError(f"{expected} somebody's repository")
    if found != address:
        raise FlowError(f"{folder}: expected a checkout of {address}, found one of {found}")
