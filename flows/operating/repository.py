"""`smallset doctor`: the repository, the one it was cloned from, and what only this one has."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.operating.check import Check, failure, ok, warning
from flows.project.git import GitError, git, resolve
from flows.registry import gto, publish, saved_runs

PATIENCE = 30.0  # seconds for a remote to answer
_SKEW = timedelta(minutes=5)
_MOST = 3  # names shown


def look() -> list[Check]:
    """Is there a repository with a commit and a name, can it push, is something here only, are clocks right?"""
    if resolve("HEAD") is None:
        return [failure("git", "no repository with a commit", "`git init`, then commit the project")]
    return [ok("git", f"commit {resolve('HEAD')}"), *_identity(), *_origin(), *_unpushed(), *_clock()]


def _identity() -> list[Check]:
    missing = []
    for key in ("user.name", "user.email"):
        try:
            git("config", key)
        except GitError:
            missing.append(key)
    if not missing:
        return [ok("identity", "git knows who commits and promotes")]
    found = f"git has no {' and no '.join(missing)}: runs and promotions made here are by `Smallset`"
    return [warning("identity", found, "`git config --global user.name NAME`, and `user.email`")]


def _origin() -> list[Check]:
    if not publish.has_git_remote():
        todo = f"`git remote add {publish.REMOTE} ADDRESS`, unless this is meant to be the only one"
        return [warning("origin", "no git remote: runs and promotions stay here", todo)]
    try:
        git("ls-remote", "--heads", publish.REMOTE, timeout=PATIENCE)
    except GitError as error:
        return [failure("origin", f"cannot be read: {error}", "is it there, is the network, who are you to it?")]
    try:
        # Asks for the right to push, and pushes nothing.
        git("push", "--dry-run", "--quiet", publish.REMOTE, "HEAD:refs/heads/runs/smallset-doctor", timeout=PATIENCE)
    except GitError as error:
        todo = "give this user the right to push, where runs are to be saved or promoted"
        return [warning("origin", f"can be read, not written: {error}", todo)]
    return [ok("origin", "can be read, and asked to take a push (nothing was pushed)")]


def _unpushed() -> list[Check]:
    if not publish.has_git_remote():
        return []
    branches = git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/heads/runs/").splitlines()
    counts = {branch: publish.unpublished(saved_runs.Workspace(Path(), branch)) for branch in branches}
    found = [f"{len(runs)} of {saved_runs.branch_of(branch)}" for branch, runs in counts.items() if runs]
    checks = []
    if found:
        todo = "the next `smallset retrain` of this checkout pushes; by hand `smallset dvc push --all-tags`, then "
        todo += (
            f"`git push {publish.REMOTE} {' '.join(saved_runs.branch_of(one) for one in counts if counts[one])} --tags`"
        )
        checks.append(warning("saved runs", f"here only: {', '.join(found)}", todo))
    else:
        checks.append(ok("saved runs", "every one is in the repository this was cloned from, as of the last fetch"))
    return checks + _untold()


def _untold() -> list[Check]:
    used = gto.promotions()
    try:
        there = git("ls-remote", publish.REMOTE, *(f"refs/tags/{one}" for one in gto.TAGS), timeout=PATIENCE)
    except GitError:
        # `origin` has said so.
        return []
    known = {line.partition("refs/tags/")[2] for line in there.splitlines()}
    here = [one.tag for one in used if one.tag not in known]
    ours = {one.tag for one in used}
    theirs = sorted(tag for tag in known if tag.startswith(f"{gto.ARTIFACT}#") and "^" not in tag)
    checks = []
    if here:
        found = f"here only: {', '.join(here[:_MOST])}"
        checks.append(warning("promotions", found, "`smallset promote RUN --push`, or `smallset hold --push`"))
    if new := [tag for tag in theirs if tag not in ours]:
        found = f"not known here yet: {', '.join(new[:_MOST])}"
        checks.append(warning("promotions", found, f"`git fetch {publish.REMOTE} --tags`"))
    return checks or [ok("promotions", f"{len(used)}, the same here and there" if used else "none yet")]


def _clock() -> list[Check]:
    latest = datetime.now(UTC) + _SKEW
    dated = "--format=%(creatordate:unix) %(refname:lstrip=2)"
    # Newest first: one that is not in the future ends the search.
    lines = git("for-each-ref", "--sort=-creatordate", f"--count={_MOST}", dated, "refs/tags").splitlines()
    found = [line.partition(" ") for line in lines]
    future = [name for at, _, name in found if at.isdigit() and int(at) > latest.timestamp()]
    if future:
        todo = (
            "set the clock of the machine that made them, and of this one; promotions are ordered by number, not time"
        )
        return [warning("clock", f"dated in the future: {', '.join(future)}", todo)]
    return [ok("clock", "no tag is dated in the future")]
