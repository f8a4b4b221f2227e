"""The clean checkout of a scheduled run: a clone of its own, so that nobody's working tree is ever touched."""

import os
import shutil
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from flows.errors import FlowError
from flows.exit_codes import ExitCode
from flows.project.dvc_lock import LOCK, check_lock_text, read_lock
from flows.project.git import GitError, content, git, resolve
from flows.project.git_names import check_branch
from flows.project.outputs import results_in_git
from flows.project.source import STATE
from flows.project.workspace import alone, takes
from flows.registry.decisions import is_open, made_here
from flows.registry.publish import REMOTE, replay
from flows.registry.saved_runs import Version, Workspace, latest
from flows.retraining.checkout_places import ORIGIN, UNFINISHED, address_of, lock_of, made_of, partial_of, refuse_others
from safety.text import visible

# A user may have set hooks by a relative path, which is one of the tree, and a program that watches files.
_RUN_NOTHING = ("core.hooksPath=/dev/null", "core.fsmonitor=false")


class Busy(FlowError):
    """Another run has the checkout."""

    code = ExitCode.SKIPPED


@contextmanager
def checked_out(repository: str, branch: str, folder: Path) -> Iterator[str | None]:
    """Stand in a checkout of the branch as the repository has it now, with the results of its last run; alone.

    Args:
        repository: anything git clones.
        folder: of the checkout; it is made, kept, and used again.

    Yields:
        Which run was killed here, with nobody left to say so; None if the last one ended by itself.

    Raises:
        Busy: another run is at work there.
        FlowError: git cannot clone or fetch, there is no such branch, or no run has made what lies at `folder`.
    """
    check_branch(branch)
    # Before a process is ended or a file is touched: what is there may be somebody's.
    refuse_others(address_of(repository), folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with lock_of(folder).open("a+", encoding="utf-8") as lock:
        if not takes(lock):
            raise Busy(f"{folder}: another run is at work there")
        with _written_down(lock) as killed, alone(folder):
            _clone(repository, folder)
            _update(repository, Workspace(folder, branch))
            with chdir(folder):
                yield killed


@contextmanager
def _written_down(lock: TextIO) -> Iterator[str | None]:
    """Keep in the lock who is at work, until it ends by itself; yields who was killed before."""
    lock.seek(0)
    killed = lock.read().strip() or None
    lock.truncate(0)
    lock.write(f"process {os.getpid()}, begun {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    lock.flush()
    try:
        yield killed
    finally:
        lock.truncate(0)


def _clone(repository: str, folder: Path) -> None:
    if folder.exists():
        return
    address, partial = address_of(repository), partial_of(folder)
    _remove_partial(partial)
    # Everything on the disk before what names it: power may fail at any moment. No process that outlives its run.
    settings = [f"{ORIGIN}={address}", "core.fsync=committed,reference", "gc.autoDetach=false", *_RUN_NOTHING]
    options = [option for setting in settings for option in ("--config", setting)]
    # Files of its own: of a repository on the same disk git would link them, and damage to one would be to both.
    apart = ("--no-hardlinks", "--no-checkout")
    git("clone", "--quiet", *apart, *options, "--", address, str(partial), folder=folder.parent)
    partial.rename(folder)


def _remove_partial(partial: Path) -> None:
    """Remove what a run left that was killed while it cloned, and nothing else."""
    if not os.path.lexists(partial):
        return
    if made_of(partial) is None:
        raise FlowError(f"{partial}: expected nothing, or what a killed run left: move it away")
    shutil.rmtree(partial)


def _update(repository: str, workspace: Workspace) -> None:
    folder, branch = workspace.folder, workspace.branch
    # The lock above says that nobody is at work: what a killed git left would only stand in the way.
    for lock in (folder / ".git").rglob("*.lock"):
        lock.unlink(missing_ok=True)
    heads = f"+refs/heads/*:refs/remotes/{REMOTE}/*"
    try:
        git("fetch", "--quiet", "--prune", "--tags", REMOTE, heads, folder=folder)
    except GitError as error:
        # A tag that others have too would be refused; the runs that only this checkout has are put behind theirs later.
        if "would clobber" not in str(error):
            raise
    # In full: a tag called `origin/main` would go before the branch.
    theirs = resolve(f"refs/remotes/{REMOTE}/{branch}", folder)
    if theirs is None:
        known = git("for-each-ref", "--format=%(refname:lstrip=3)", f"refs/remotes/{REMOTE}", folder=folder).split()
        others = ", ".join(name for name in known if name != "HEAD")
        raise FlowError(f"{repository}: expected a branch {branch!r}, found {others or 'none'}")
    replay(workspace)
    if resolve("HEAD", folder) == theirs and (folder / UNFINISHED).exists() and read_lock(folder):
        # A run was killed on this very commit: what it finished stays, only its parameters are given anew.
        git("checkout", "--quiet", "HEAD", "--", "params.yaml", folder=folder)
        return
    (folder / UNFINISHED).unlink(missing_ok=True)
    git("checkout", "--quiet", "--force", "--detach", theirs, folder=folder)
    _take_results(workspace)
    # Last: of the results, .gitignore files of DVC keep its outputs out of this.
    git("clean", "--quiet", "--force", "-d", folder=folder)


def _take_results(workspace: Workspace) -> None:
    """Lay down what the last run left to git, unless the branch itself has got newer ones since.

    DVC then finds what has changed since that run, rather than since the last commit to the branch. A decision that is
    to be made again is made on results that are made again.

    Raises:
        FlowError: what the run left is not what a run leaves.
    """
    folder = workspace.folder
    last = latest(workspace)
    if last is None or (is_open(last, folder) and not made_here(last.commit, folder)):
        return
    source = resolve(last.record.get("source") or "", folder)
    if source and git("diff", "--name-only", source, "HEAD", "--", str(LOCK), folder=folder):
        return
    if lock := content(last.commit, str(LOCK), folder):
        check_lock_text(lock, f"{LOCK} of {last.name}")
    if kept := _regular_files(last, [STATE.as_posix(), *results_in_git(folder)], folder):
        git("checkout", "--quiet", last.commit, "--", *kept, folder=folder)


def _regular_files(run: Version, wanted: list[str], folder: Path) -> list[str]:
    """Those of these files that a run has; a link in their place would have the next run write to where it leads."""
    listed = git("ls-tree", "-r", "-z", run.commit, "--", *wanted, folder=folder)
    entries = [entry.split("\t", 1) for entry in listed.split("\0") if entry]
    for about, path in entries:
        if not about.startswith("100"):
            raise FlowError(f"{run.name}: {visible(path)}: expected a file, found a link or a repository")
    return [path for _, path in entries]
