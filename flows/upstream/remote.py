"""The pipeline's repository: where newer versions come from."""

import re
from pathlib import Path

from flows.errors import FlowError
from flows.project.git import GitError, git, resolve
from flows.project.git_names import check_repository
from safety.text import visible

REMOTE = "upstream"
_FETCHED = "refs/smallset/pipeline"  # the commit that was fetched last


def address_of_pipeline(source: str | None) -> str:
    """The pipeline's repository: an address, or the name of a remote.

    Args:
        source: what a user has typed for it.

    Raises:
        FlowError: nobody knows it, or it is of a kind that runs commands.
    """
    if source:
        return check_repository(source)
    remotes = git("remote").split()
    for name in (REMOTE, "origin"):
        if name in remotes:
            return name
    raise FlowError("expected a remote `upstream`, the repository of the pipeline: `smallset upgrade --from ADDRESS`")


def fetch(address: str, revision: str | None) -> str:
    """Bring a commit of the pipeline here, and none of its tags, which name its own saved runs and models.

    Args:
        address: as `address_of_pipeline` gives it.
        revision: a branch, a tag or a commit; None: what is checked out there.

    Returns:
        The commit in full.

    Raises:
        FlowError: the repository cannot be read, or has no such commit.
    """
    if revision is not None and not re.fullmatch(r"\w[\w./+-]*", revision):
        raise FlowError(f"{revision!r}: expected a branch, a tag or a full commit of the pipeline")
    try:
        # Not by FETCH_HEAD, which a fetch of the user's own may write meanwhile.
        git("fetch", "--quiet", "--no-tags", "--", address, f"+{revision or 'HEAD'}:{_FETCHED}")
        found = resolve(_FETCHED)
    except GitError:
        # A commit by the first digits of its name, which no server takes; all else would name something of one's own.
        found = resolve(revision) if revision and re.fullmatch(r"[0-9a-f]{7,40}", revision) else None
        if found is None:
            raise
    if found is None:
        raise FlowError(f"{visible(address)}: expected a commit, found something else as {revision or 'HEAD'}")
    return found


def remember(source: str | None) -> None:
    """Let the remote `upstream` be the pipeline's repository, and none of its tags come here."""
    if not source:
        return
    address = str(Path(source).resolve()) if Path(source).exists() else source
    set_upstream(address)


def set_upstream(address: str, folder: Path | str = ".") -> None:
    """Make a repository the remote `upstream`: its branches, but neither its saved runs nor its tags."""
    if REMOTE in git("remote", folder=folder).split():
        git("remote", "set-url", REMOTE, address, folder=folder)
    else:
        git("remote", "add", "--no-tags", REMOTE, address, folder=folder)
    settings = {"fetch": (f"+refs/heads/*:refs/remotes/{REMOTE}/*", "^refs/heads/runs/*"), "tagOpt": ("--no-tags",)}
    for key, values in settings.items():
        git("config", "--replace-all", f"remote.{REMOTE}.{key}", values[0], folder=folder)
        for value in values[1:]:
            git("config", "--add", f"remote.{REMOTE}.{key}", value, folder=folder)
