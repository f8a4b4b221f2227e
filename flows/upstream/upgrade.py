"""`smallset upgrade`: a newer pipeline, with one's own results and parameters."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from flows.errors import FlowError
from flows.project.git import Refused, author, git, is_ancestor, own_file, resolve
from flows.project.parameters import PARAMS
from flows.project.readiness import require_commit
from flows.project.source import read_download
from flows.project.workspace import exclusive, require_project
from flows.upstream import told
from flows.upstream.merging import SETTINGS, Sides, compose
from flows.upstream.remote import address_of_pipeline, fetch, remember
from flows.upstream.results import attributes_of, results_among
from safety.text import visible
from safety.words import first_and_more

_AT_WORK = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")


def upgrade(revision: str | None = None, source: str | None = None) -> list[str]:
    """Merge a newer pipeline into the project in the working directory.

    What runs have changed, and params.yaml, is committed first. Own results stay until a run makes new ones; where
    anything is in the way, everything stays as it was.

    Args:
        revision: a branch, tag or full commit of the pipeline; else what its repository has checked out.
        source: the pipeline's repository, which becomes the remote `upstream`; else that remote, or `origin`.

    Returns:
        What was done, in lines.

    Raises:
        FlowError: edits of one's own that are in no commit, or in the way; no such pipeline.
    """
    require_project()
    require_commit()
    _require_quiet()
    with exclusive():
        address = address_of_pipeline(source)
        theirs = fetch(address, revision)
        before = _head()
        if is_ancestor(theirs, before):
            remember(source)
            return [f"the pipeline is as new as {revision or 'that of'} {visible(address)}: {theirs[:8]}"]
        with attributes_of(theirs) as attributes:
            own = _kept(attributes)
            sides = Sides(_base(before, theirs), _committed(own), theirs)
            composed = compose(sides, attributes, f"Upgrade the pipeline to {theirs[:8]}", _held())
            lines = told.describe(sides, composed, own, address)
            untracked = _untracked("--directory")
            _take(before, sides.ours, composed.commit)
        remember(source)
        return [*lines, *told.left_behind(_untracked("--directory") - untracked)]


def _require_quiet() -> None:
    if found := [name for name in _AT_WORK if own_file(name).exists()]:
        raise FlowError(f"git is in the middle of something here ({found[0]}): end it first, see `git status`")
    try:
        git("symbolic-ref", "--quiet", "HEAD")
    except Refused:
        raise FlowError(
            "expected a branch, found a commit that is checked out by itself: `git switch BRANCH`"
        ) from None


def _head() -> str:
    commit = resolve("HEAD")
    assert commit
    return commit


def _base(ours: str, theirs: str) -> str:
    try:
        return git("merge-base", ours, theirs).splitlines()[0]
    except Refused:
        raise FlowError(
            f"the project and the pipeline's {theirs[:8]} have no commit in common: where this is a shallow clone, "
            "`git fetch --unshallow` first"
        ) from None


def _kept(attributes: Sequence[str]) -> list[str]:
    """Results, params.yaml and .gitignore files that are in no commit as they lie here.

    Raises:
        FlowError: other files of the project are changed too.
    """
    # Deletions and additions too; renames as both.
    changed = [path for path in git("diff", "--name-only", "--no-renames", "-z", "HEAD").split("\0") if path]
    results = results_among([*changed, *sorted(_untracked())], attributes)
    own = {path for path in changed if path == str(PARAMS) or Path(path).name == ".gitignore"}
    if others := [visible(path) for path in changed if path not in results | own]:
        named = first_and_more(others, 5)
        raise FlowError(
            f"edits of yours are in no commit: {named}: `git commit --all`, or take them back, and try again"
        )
    return sorted(results | own)


def _held() -> list[str]:
    """`download.path` where images of one's own lie there, though that is what the pipeline calls the place.

    A newer one may call it otherwise, and would train on drawings.
    """
    path = Path(str(read_download().get("path") or ""))
    inside = not path.is_absolute() and path.is_dir() and path.resolve().is_relative_to(Path.cwd().resolve())
    return ["download.path"] if inside and git("ls-files", "--others", "--", str(path)) else []


def _untracked(*options: str) -> set[str]:
    return set(filter(None, git("ls-files", "--others", "--exclude-standard", "-z", *options).split("\0")))


def _committed(own: Sequence[str]) -> str:
    """A commit of these files on top of what is checked out, which stays that; the latter where there are no files."""
    head = _head()
    if not own:
        return head
    with tempfile.TemporaryDirectory(prefix="smallset-") as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git("read-tree", "HEAD", env=index)
        paths = ("--pathspec-from-file=-", "--pathspec-file-nul")
        git("add", "--all", *paths, env=index, text="\0".join(own))
        tree = git("write-tree", env=index)
    message = "Results and parameters before the upgrade of the pipeline\n"
    return git("commit-tree", tree, "-p", head, env=author(), text=message)


def _in_the_way(path: Path) -> Path | None:
    """What lies where a file shall be, or in the place of a folder above it."""
    folders = (one for one in reversed(path.parents) if one.is_symlink() or one.is_file())
    return next(folders, path if os.path.lexists(path) else None)


def _take(before: str, ours: str, merged: str) -> None:
    """Have the branch, its index and the working tree become a merge whose first parent is what lies there.

    Raises:
        FlowError: something is in the way; all is as it was then.
    """
    added = git("diff", "--name-only", "--no-renames", "--diff-filter=A", "-z", ours, merged).split("\0")
    # Git would write over files that it is told to ignore.
    if there := sorted({visible(str(own)) for path in added if path and (own := _in_the_way(Path(path)))}):
        raise FlowError(f"{', '.join(there[:5])}: the newer pipeline has such a file: move yours away, and try again")
    index = own_file("index")
    with tempfile.TemporaryDirectory(prefix="smallset-") as scratch:
        saved = Path(scratch) / "index"
        shutil.copyfile(index, saved)
        try:
            git("update-ref", "-m", "smallset upgrade", "HEAD", ours, before)
            git("read-tree", ours)
            git(*SETTINGS, "merge", "--quiet", "--ff-only", merged)
        except BaseException:
            git("update-ref", "-m", "smallset upgrade: taken back", "HEAD", before)
            shutil.copyfile(saved, index)
            raise
