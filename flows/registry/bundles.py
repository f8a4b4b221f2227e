"""The classifier as it was at another commit, fetched once and kept for the next time."""

import shutil
from contextlib import chdir
from pathlib import Path
from secrets import token_hex

from flows.faults import fault_of
from flows.project.git import GitError, git
from flows.registry.gto import ARTIFACT, STAGE
from flows.registry.names import IN_USE, commit_named
from smallset.errors import UserError

_KEPT = 4  # bundles; the others are fetched again when they are asked for
_FOLDER = Path(".smallset") / "bundles"
_CLASSIFIER = f"models/{ARTIFACT}"
_ALSO_IN_USE = (STAGE, f"{ARTIFACT}#{STAGE}")  # names of what is in use


def at_revision(name: str, project: Path) -> Path | None:
    """The directory of the classifier as it is at a git revision; it is never one that somebody works in.

    Args:
        name: a git revision, a saved run, a version such as v1.2.0, or `in-use`, also called production.

    Returns:
        Its place; None where nothing is called so.

    Raises:
        UserError: it names a commit whose classifier is neither in DVC's cache nor in its remote.
    """
    try:
        commit = _commit(name, project)
        return None if commit is None else _fetched(commit, project)
    except Exception as error:
        if (fault := fault_of(error)) is None:
            raise
        raise UserError(f"{name}: {fault}") from None


def _commit(name: str, project: Path) -> str | None:
    try:
        git("rev-parse", "--git-dir", folder=project)
    except GitError:
        return None  # without a repository there are no versions
    return commit_named(IN_USE if name in _ALSO_IN_USE else name, project)


def _fetched(commit: str, project: Path) -> Path:
    from flows.project.revisions import fetch_directory

    place = project / _FOLDER / commit
    if place.is_dir():
        place.touch()
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f".{commit}.{token_hex(4)}.partial")
    try:
        with chdir(project):
            fetch_directory(commit, _CLASSIFIER, partial.absolute())
        if not place.is_dir():  # nobody else was faster
            partial.replace(place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    kept = sorted(place.parent.glob("[0-9a-f]*"), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in kept[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return place
