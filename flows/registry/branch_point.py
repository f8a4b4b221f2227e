"""Where a branch was begun, and the results that were really had there: committed, or of a saved run."""

from collections.abc import Iterator
from dataclasses import dataclass

from flows.errors import FlowError
from flows.exit_codes import ExitCode
from flows.project.git import Refused, git, resolve
from flows.project.staleness import describe, snapshot
from flows.registry.saved_runs import record_of

_MOST = 20  # saved runs that are looked at, the latest first


class NoResults(FlowError):
    """The branch point has no results of its own; the message says how to make them."""

    code = ExitCode.NO_RESULTS  # tells a workflow to make them


@dataclass(frozen=True)
class BranchPoint:
    """Where a branch was begun.

    Attributes:
        commit: full.
        revision: that has its results, the commit itself or a saved run.
        name: of both, to be shown.
    """

    commit: str
    revision: str
    name: str


def find_branch_point(base: str) -> BranchPoint:
    """The commit at which HEAD left another branch, with results that its own code, parameters and data have made.

    A dvc.lock on a branch is as old as the last run that somebody committed there: what has changed since, on that
    branch, must not be credited to the one that is compared with it.

    Args:
        base: the other branch, or any revision.

    Raises:
        NoResults: the results there are stale, and no saved run has others.
        FlowError: no such revision, or nothing in common with it.
    """
    theirs = resolve(base)
    if theirs is None:
        raise FlowError(f"{base}: expected a branch or another revision of git, found none; `git fetch` may get it")
    try:
        commit = git("merge-base", theirs, "HEAD").splitlines()[0]
    except Refused:
        shallow = git("rev-parse", "--is-shallow-repository") == "true"
        more = ": this clone has not the whole history, `git fetch --unshallow`" if shallow else ""
        raise FlowError(f"{base}: expected a branch that has commits in common with HEAD, found none{more}") from None
    shown = base.removeprefix("refs/heads/").removeprefix("refs/remotes/")
    point = f"the branch point {commit[:8]} with {shown}"
    with snapshot(commit) as files:
        stale = files.stale()
        if stale == []:
            return BranchPoint(commit, commit, point)
        for name, run in _saved_runs(commit):
            if files.stale(run) == []:
                return BranchPoint(commit, run, f"{point}, saved as {name}")
    raise NoResults(
        f"{point} has no results of its own: {describe(stale)}, and none of the saved runs known here is of it. Make "
        f"one: `git worktree add --detach ../base {commit[:8]}`, and there `smallset run --save`"
    )


def _saved_runs(commit: str) -> Iterator[tuple[str, str]]:
    """Names and commits of saved runs that may be of a commit: those of itself, then of commits before it."""
    # Every saved run has a tag of its own.
    listed = git("for-each-ref", "--sort=-creatordate", "--format=%(objectname) %(parent)", "refs/tags/run")
    runs = [(found, parents) for found, *parents in map(str.split, listed.splitlines()) if parents]
    before = set(git("rev-list", commit).splitlines()) if runs else set()
    own = [found for found, parents in runs if commit in parents]
    others = [found for found, parents in runs if commit not in parents and parents[-1] in before]
    for found in [*own, *others][:_MOST]:
        record = record_of(found)
        if record and record.get("outcome") != "failed":
            yield f"run/{record['id']}", found
