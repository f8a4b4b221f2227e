"""A version of a run: one commit on a run branch that holds what shaped it and what it came to.

The commit is composed beside the working tree (an index of its own), so that neither the tree, nor the index, nor the
branch of whoever works there changes. Its first parent is the run before, its second the commit that was run.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from flows.project.git import Refused, author, content, git, is_ancestor, resolve, update_of
from flows.project.git_names import check_branch
from flows.project.outputs import files_in_git
from flows.project.readiness import require_commit, require_own_repository
from flows.project.records import read_record
from flows.project.workspace import require_project

PREFIX = "runs/"  # of run branches, and with `run/` of the tag of each run
RECORD = "run.json"  # inside the commit


@dataclass(frozen=True)
class Version:
    """One saved run.

    Attributes:
        name: its tag.
        commit: full.
        record: what `run.json` holds.
    """

    name: str
    commit: str
    record: dict[str, Any]


@dataclass(frozen=True)
class Workspace:
    """A checkout of the project, and the branch whose saved runs are meant.

    Attributes:
        branch: that is run; its runs have a branch of their own.
    """

    folder: Path
    branch: str

    @classmethod
    def here(cls, branch: str | None = None) -> "Workspace":
        """The working directory, and a branch or the one that is checked out.

        Raises:
            FlowError: this is no project, or one inside the repository of something else; or as `current_branch`.
        """
        require_project()
        found = branch or current_branch()
        require_own_repository()
        return cls(Path(), found)

    @property
    def runs(self) -> str:
        """The branch that collects the runs."""
        return branch_of(self.branch)


def branch_of(source: str) -> str:
    """The branch that collects the runs of a branch; raises FlowError where that is no name of one."""
    check_branch(source)
    return source if source.startswith(PREFIX) else f"{PREFIX}{source}"


def tags() -> set[str]:
    """The names of all saved runs that have theirs still: `smallset clean` takes those of old ones."""
    return set(git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/tags/run/").splitlines())


def current_branch(folder: Path | str = ".") -> str:
    """The branch that is checked out; "detached" where none is.

    Raises:
        FlowError: this is no git repository, or one without a commit.
    """
    require_commit(folder)
    try:
        return git("symbolic-ref", "--quiet", "HEAD", folder=folder).removeprefix("refs/heads/")
    except Refused:
        return "detached"


def save(record: Mapping[str, Any], workspace: Workspace, headline: str, also: Sequence[Path] = ()) -> Version:
    """Commit what a run leaves to its run branch and name it `run/<id>`.

    Args:
        record: what is to be known of the run; `id` names it.
        workspace: where the branch was run.
        headline: of the commit.
        also: files that git ignores and that belong to the run, if they exist.

    Raises:
        FlowError: git failed; then nothing has changed.
    """
    runs, folder = f"refs/heads/{workspace.runs}", workspace.folder
    before, source = resolve(runs, folder), resolve("HEAD", folder)
    parents = list(dict.fromkeys(commit for commit in (before, source) if commit))
    tree = _tree(record, folder, also)
    arguments = [word for parent in parents for word in ("-p", parent)]
    commit = git("commit-tree", tree, *arguments, folder=folder, env=author(folder), text=f"{headline}\n")
    name = f"run/{record['id']}"
    # Both or neither: one transaction.
    lines = update_of(runs, commit, before) + update_of(f"refs/tags/{name}", commit, None)
    git("update-ref", "--stdin", folder=folder, text=lines)
    return Version(name, commit, dict(record))


def versions(workspace: Workspace, most: int | None = None) -> Iterator[Version]:
    """The saved runs of a branch, the latest first."""
    tip = _tip(workspace)
    return islice(chain_of(tip, workspace.folder), most) if tip else iter(())


def chain_of(tip: str, folder: Path | str = ".", without: str | None = None) -> Iterator[Version]:
    """The run at a commit and those before it, the latest first.

    Args:
        without: leaves out what this commit has too.
    """
    others = [f"^{without}"] if without else []
    for commit in git("rev-list", "--first-parent", tip, *others, folder=folder).splitlines():
        record = record_of(commit, folder)
        if record is None:
            # Before the first run come the commits of the branch that was run.
            return
        yield Version(f"run/{record['id']}", commit, record)


def latest(workspace: Workspace) -> Version | None:
    """The last saved run of a branch."""
    return next(versions(workspace, most=1), None)


def record_of(commit: str, folder: Path | str = ".") -> dict[str, Any] | None:
    """What a commit records of its run; None if it is no saved run.

    Raises:
        FlowError: it records what no run writes.
    """
    text = content(commit, RECORD, folder)
    return None if text is None else read_record(text, f"{RECORD} of commit {commit[:8]}")


def _tip(workspace: Workspace) -> str | None:
    """The last run that is known here: of this repository, or, where that has more, of the one it was cloned from."""
    folder = workspace.folder
    ours, theirs = (resolve(f"refs/{kind}/{workspace.runs}", folder) for kind in ("heads", "remotes/origin"))
    if ours and theirs and is_ancestor(ours, theirs, folder):
        return theirs
    return ours or theirs


def _tree(record: Mapping[str, Any], folder: Path | str, also: Sequence[Path]) -> str:
    """A tree of everything tracked as it lies there, what DVC leaves to git, and the record."""
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git("read-tree", "HEAD", folder=folder, env=index)
        git("add", "--update", folder=folder, env=index)
        ignored = [path.as_posix() for path in also if (folder / path).is_file()]
        if found := files_in_git(Path(folder)) + ignored:
            git("add", "--force", "--", *found, folder=folder, env=index)
        text = json.dumps(record, indent=2) + "\n"
        blob = git("hash-object", "-w", "--stdin", folder=folder, text=text)
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},{RECORD}", folder=folder, env=index)
        return git("write-tree", folder=folder, env=index)
