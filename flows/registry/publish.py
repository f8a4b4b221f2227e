"""To the remotes: first what DVC keeps, then the commits and tags that name it.

In this order, so that nobody sees a name without its files.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from flows.errors import FlowError
from flows.exit_codes import ExitCode
from flows.project.dvc_guard import DVC
from flows.project.dvc_lock import LOCK
from flows.project.git import GitError, author, content, git, is_ancestor, resolve, update_of
from flows.project.outputs import read_storage
from flows.registry import gto, unpushed
from flows.registry.saved_runs import Version, Workspace, chain_of, latest
from safety.words import counted

TRIES = 4
FIRST_WAIT = 2.0  # seconds; each further wait is twice as long
REMOTE = "origin"
_RUNS = "refs/tags/run/*"
_PROMOTIONS = [f"refs/tags/{pattern}" for pattern in gto.TAGS]
_FEW = 100
Result = TypeVar("Result")


class NotPublished(FlowError):
    """A remote cannot be reached or refuses: everything is kept here, and goes out with the next run."""

    code = ExitCode.NOT_PUSHED


def publish(workspace: Workspace, all_tags: bool = False) -> None:
    """Push the data and every run of a branch that the remotes do not have yet, with the tags of runs and promotions.

    Args:
        all_tags: also the data of earlier runs, one of which a person may have put into use.

    Raises:
        NotPublished: after several tries; nothing is lost.
    """
    # What an end in the middle of the last push left.
    folder = workspace.folder
    unpushed.promote_again(folder)
    if read_storage(folder).remote:
        _patiently(lambda: _dvc("push", "--run-cache", folder=folder), "dvc push")
        if all_tags or len(unpublished(workspace)) > 1 or not _is_here(workspace):
            # Runs that an earlier failure kept here: their data is not that of the working tree.
            _patiently(lambda: _dvc("push", "--all-tags", folder=folder), "dvc push")
    if has_git_remote(folder):
        _patiently(lambda: _push(workspace), "git push")


def has_git_remote(folder: Path | str = ".") -> bool:
    """Whether there is a repository to push to."""
    return REMOTE in git("remote", folder=folder).splitlines()


def is_published(workspace: Workspace) -> bool:
    """Whether the repository has every run of a branch, as far as the last fetch or push tells."""
    return not unpublished(workspace)


def has_untold_tags(run: str, folder: Path | str = ".") -> bool:
    """Whether the repository, where it can be asked, lacks the name of a run, or promotions."""
    patterns = [f"refs/tags/{name}" for name in (run, *gto.TAGS)]
    try:
        return has_git_remote(folder) and bool(unpushed.untold(REMOTE, patterns, folder))
    except GitError:
        return False


def unpublished(workspace: Workspace) -> list[Version]:
    """The runs of a branch that the repository lacks, the latest first, as far as the last fetch or push tells."""
    runs, folder = workspace.runs, workspace.folder
    ours = resolve(f"refs/heads/{runs}", folder)
    if ours is None:
        return []
    known = resolve(f"refs/remotes/{REMOTE}/{runs}", folder)
    return list(chain_of(ours, folder, without=known))


def _is_here(workspace: Workspace) -> bool:
    """Whether the working tree has the data of the last run; where there is no run, there is nothing else to push."""
    folder = workspace.folder
    runs, lock = f"refs/heads/{workspace.runs}", folder / LOCK
    here = lock.read_text("utf-8").rstrip("\n") if lock.is_file() else None
    return resolve(runs, folder) is None or content(runs, str(LOCK), folder) == here


def _push(workspace: Workspace) -> None:
    folder = workspace.folder
    runs = f"refs/heads/{workspace.runs}"
    new = [f"{name}:{name}" for name in [*_new_runs(workspace), *_PROMOTIONS, runs] if _any(name, folder)]
    if not new:
        return
    try:
        git("push", "--atomic", REMOTE, *new, folder=folder)
    except GitError:
        catch_up(workspace)
        raise
    if resolve(runs, folder):
        git("update-ref", f"refs/remotes/{REMOTE}/{workspace.runs}", runs, folder=folder)


def _new_runs(workspace: Workspace) -> list[str]:
    """Tags of the runs that the repository does not have, and of the last one, which somebody may have left out.

    Of others it may have been cleaned. Of many runs the pattern: git looks for each name among all refs.
    """
    last = latest(workspace)
    names = dict.fromkeys(f"refs/tags/{one.name}" for one in [*unpublished(workspace), *([last] if last else [])])
    return list(names) if len(names) <= _FEW else [_RUNS]


def _any(pattern: str, folder: Path | str) -> bool:
    return bool(git("for-each-ref", "--count=1", "--format=1", pattern, folder=folder))


def _patterns() -> list[str]:
    return [_RUNS, *_PROMOTIONS]


def catch_up(workspace: Workspace) -> None:
    """Take in what others have pushed, and put what only this workspace has behind it.

    Raises:
        GitError: the repository cannot be reached; nothing has changed.
    """
    folder = workspace.folder
    everything = (f"+refs/heads/*:refs/remotes/{REMOTE}/*", f"+refs/tags/*:{unpushed.THEIRS}*")
    git("fetch", "--force", "--prune", "--no-tags", REMOTE, *everything, folder=folder)
    unpushed.take_in(_patterns(), folder)
    replay(workspace)
    unpushed.promote_again(folder)


def is_told(tag: str, folder: Path | str = ".") -> bool:
    """Whether the repository has a tag, now, as it is here."""
    found = git("ls-remote", REMOTE, f"refs/tags/{tag}", folder=folder).split()
    return found[:1] == git("rev-parse", f"refs/tags/{tag}", folder=folder).split()


def replay(workspace: Workspace) -> dict[str, str]:
    """Put the runs that only this workspace has behind those that another one has pushed: same content, new parent.

    Every commit of a run holds a whole tree, so nothing is merged; the tags of moved runs move along, all at once.

    Returns:
        The new commit of each moved one.

    Raises:
        GitError: another process has saved a run meanwhile; nothing has changed.
    """
    runs, folder = workspace.runs, workspace.folder
    theirs, ours = (resolve(f"refs/{kind}/{runs}", folder) for kind in (f"remotes/{REMOTE}", "heads"))
    if theirs is None or ours == theirs or (ours and is_ancestor(theirs, ours, folder)):
        return {}
    moved: dict[str, str] = {}
    tip, lines = theirs, ""
    alone = [one.commit for one in chain_of(ours, folder, without=theirs)] if ours else []
    for commit in reversed(alone):
        source = git("rev-list", "--parents", "--max-count=1", commit, folder=folder).split()[-1]
        message = git("log", "--format=%B", "--max-count=1", commit, folder=folder)
        parents = [word for parent in dict.fromkeys((tip, source)) for word in ("-p", parent)]
        tip = git("commit-tree", f"{commit}^{{tree}}", *parents, folder=folder, env=author(folder), text=message)
        moved[commit] = tip
        tags = ("--format=%(refname) %(objectname)", f"--points-at={commit}", "refs/tags/run/")
        for name, found in map(str.split, git("for-each-ref", *tags, folder=folder).splitlines()):
            lines += update_of(name, tip, found)
    # Also only if no other process has saved a run meanwhile.
    git("update-ref", "--stdin", folder=folder, text=lines + update_of(f"refs/heads/{runs}", tip, ours))
    return moved


def _patiently(action: Callable[[], Result], what: str) -> Result:
    retrying = Retrying(
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(multiplier=FIRST_WAIT),
        retry=retry_if_exception_type(FlowError),
    )
    try:
        return retrying(action)
    except RetryError as error:
        cause = error.last_attempt.exception()
        raise NotPublished(
            f"{what}: gave up after {TRIES} tries: {cause}; kept here, the next run tries again"
        ) from None


def _dvc(*arguments: str, folder: Path | str) -> str:
    done = subprocess.run([*DVC, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.removeprefix("ERROR:").strip() for line in done.stderr.splitlines() if line.startswith("ERROR")]
        # One for every file: the first says why.
        more = f" (and {counted(len(lines) - 1, 'error')} more)" if len(lines) > 1 else ""
        raise FlowError(lines[0] + more if lines else f"dvc {arguments[0]}: exit code {done.returncode}")
    return done.stdout
