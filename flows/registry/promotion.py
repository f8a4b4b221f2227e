"""`smallset promote`, `rollback`, `hold` and `release`: a person's word, over what the gate does by itself."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.errors import FlowError
from flows.project.revisions import fetch_directory
from flows.registry import gto, publish, saved_runs, tag_dates
from flows.registry.gto import Promotion
from flows.registry.names import commit_named
from flows.registry.run_record import CLASSIFIER
from flows.registry.saved_runs import Workspace

BY_HAND = "by hand"  # why, where a person says nothing


def promote(run: str | None, message: str, branch: str | None, push: bool, force: bool = False) -> str:
    """Put the classifier of a run into use and say so; lifts a hold.

    Args:
        run: as `commit_named` takes it, of a commit with a classifier; None is the latest saved run of the branch.
        push: also tell the repository this one was cloned from, whose promotions are fetched first.
        force: whatever is known of it.

    Raises:
        FlowError: no such run, its classifier is in use already, or it failed, was rejected or has no model.
    """
    workspace = _ready(branch, push)
    run, commit = _meant(run, workspace)
    if not force:
        _require_good(run, commit)
    present = gto.in_use()
    if push and present and present.commit == commit and not publish.is_told(present.tag):
        # It was put into use here, and nobody else knows.
        return _told(present, workspace, push)
    return _told(gto.promote(commit, message, action="promote"), workspace, push)


def _meant(run: str | None, workspace: Workspace) -> tuple[str, str]:
    """What a run, or None, is called, and its commit."""
    if run is None:
        last = saved_runs.latest(workspace)
        if last is None:
            raise FlowError(
                f"{workspace.branch}: no saved run: expected one of `smallset run --save` or `smallset retrain`"
            )
        return last.name, last.commit
    if (commit := commit_named(run)) is None:
        raise FlowError(f"{run}: expected a saved run, as `smallset history` lists them, its version, or a commit")
    return run, commit


def rollback(message: str, branch: str | None, push: bool) -> str:
    """Put the version before the present one into use again, hold it there, and say so.

    Raises:
        FlowError: there is none.
    """
    return _by(gto.rollback, message, branch, push)


def hold(message: str, branch: str | None, push: bool) -> str:
    """Keep the version in use until a person releases it or promotes another, and say so.

    Raises:
        FlowError: nothing is in use.
    """
    workspace = _ready(branch, push)
    present = gto.in_use()
    if push and message == BY_HAND and present and present.is_held and not publish.is_told(present.tag):
        # It was held here, with a reason, and nobody else knows.
        return _told(present, workspace, push)
    return _told(gto.hold(message), workspace, push)


def release(message: str, branch: str | None, push: bool) -> str:
    """Let the gate decide again, and say so.

    Raises:
        FlowError: nothing is held.
    """
    return _by(gto.release, message, branch, push)


def _by(action: Callable[[str], Promotion], message: str, branch: str | None, push: bool) -> str:
    workspace = _ready(branch, push)
    return _told(action(message), workspace, push)


def _ready(branch: str | None, push: bool) -> Workspace:
    """The workspace, with everything that others have promoted."""
    found = Workspace.here(branch)
    if push:
        if not publish.has_git_remote():
            raise FlowError(f"--push: expected a repository to push to, found no git remote {publish.REMOTE!r}")
        publish.catch_up(found)
    return found


def _require_good(run: str, commit: str) -> None:
    record = saved_runs.record_of(commit) or {}
    if record.get("outcome") == "failed":
        raise FlowError(f"{run}: a failed run, its classifier is of an earlier one: name that, see `smallset history`")
    if record.get("decision") == "rejected":
        why = f"the gate rejected it: {record.get('reason', '')}"
        raise FlowError(f"{run}: {why}; --force puts it into use all the same")
    with TemporaryDirectory(prefix="smallset-") as folder:
        try:
            fetch_directory(commit, CLASSIFIER.as_posix(), Path(folder))
        except FlowError as error:
            raise FlowError(f"{run}: no model to put into use: {error}") from None


def _told(promoted: Promotion, workspace: Workspace, push: bool) -> str:
    text = f"in use: {gto.ARTIFACT} {promoted.version}, commit {promoted.commit[:8]} ({promoted.tag})"
    if promoted.is_held:
        text = f"{text}; held until `smallset release` or `smallset promote`"
    if wrong := tag_dates.ahead(promoted.at):
        text = f"{text}; {wrong}"
    if not push:
        again = "hold" if promoted.is_held else f"promote {promoted.commit[:8]}"
        return f"{text}; here only: `smallset {again} --push` tells the others" if publish.has_git_remote() else text
    publish.publish(workspace, all_tags=True)
    present = gto.in_use()
    if present is None or (present.version, present.action) != (promoted.version, promoted.action):
        now = f"{present.version} by {present.who}: {present.message}" if present else "nothing"
        raise FlowError(f"{gto.ARTIFACT} {promoted.version} is not in use: meanwhile another was: {now}")
    if not publish.is_told(present.tag):
        raise FlowError(f"{present.tag}: {publish.REMOTE} does not have it: it is in use here only; try again")
    return f"{text}; pushed"
