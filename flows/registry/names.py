"""What people call a version of the model, where a command takes one."""

from pathlib import Path

from flows.project.git import resolve
from flows.registry import gto

IN_USE = "in-use"


def commit_named(name: str, folder: Path | str = ".") -> str | None:
    """The commit of a name, in full.

    Args:
        name: `in-use`, a version such as v1.2.0, a git revision, or a saved run with or without its `run/`; the first
            of these that there is.

    Returns:
        None where nothing is called so.

    Raises:
        FlowError: nothing is in use.
    """
    if name == IN_USE:
        return gto.require_in_use(folder).commit
    versions = {version: commit for commit, version in gto.registered(folder).items()}
    return versions.get(name) or resolve(name, folder) or resolve(f"refs/tags/run/{name}", folder)
