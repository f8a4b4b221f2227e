"""`smallset promote` and `smallset rollback`: by hand what the gate does by itself."""

from flows import publish, registry, versions
from flows.errors import FlowError
from flows.git import resolve


def promote(run: str | None, message: str, branch: str | None, push: bool) -> str:
    """Put the classifier of a run into use and say so.

    Args:
        run: a saved run, or any commit with a classifier; None is the latest saved run of the branch.

    Raises:
        FlowError: no such run, it failed, or its classifier is in use already.
    """
    branch = branch or versions.current_branch()
    if run is None:
        last = versions.latest(branch)
        if last is None:
            raise FlowError(f"{branch}: no saved run: expected one of `smallset run --save` or `smallset retrain`")
        run = last.name
    commit = resolve(run)
    if commit is None:
        raise FlowError(f"{run}: expected a saved run, as `smallset history` lists them, or a commit")
    if (versions.record_of(commit) or {}).get("outcome") == "failed":
        raise FlowError(f"{run}: a failed run, its classifier is of an earlier one: name that, see `smallset history`")
    return _told(registry.promote(commit, message), branch, push)


def rollback(message: str, branch: str | None, push: bool) -> str:
    """Put the version before the present one into use again and say so.

    Raises:
        FlowError: there is none.
    """
    return _told(registry.rollback(message), branch or versions.current_branch(), push)


def _told(promoted: registry.Promotion, branch: str, push: bool) -> str:
    text = f"in use: {registry.ARTIFACT} {promoted.version}, commit {promoted.commit[:8]} ({promoted.tag})"
    if not push:
        return f"{text}; `git push --tags` tells the others" if publish.has_git_remote() else text
    publish.publish(branch)
    return f"{text}; pushed"
