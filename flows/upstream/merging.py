"""A merge of a newer pipeline, made beside the working tree: nothing of the project changes until it is whole."""

import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAMLError

from flows.errors import FlowError
from flows.project.git import GitError, author, content, git
from flows.project.parameters import PARAMS, check_parameters
from flows.upstream.merged_parameters import Merged, merge
from flows.upstream.results import results_among
from safety.text import visible
from safety.words import first_and_more

# No program of the user's that watches commits; no file moved because others of its folder were.
_QUIETLY = (
    "core.hooksPath=/dev/null",
    "merge.ours.driver=true",
    "merge.directoryRenames=false",
    "rerere.enabled=false",
)
SETTINGS = [word for setting in _QUIETLY for word in ("-c", setting)]
_NOTHING = "0" * 40


@dataclass(frozen=True)
class Sides:
    """Three commits in full: the newest that both sides have, one's own, and the newer pipeline's."""

    base: str
    ours: str
    theirs: str


@dataclass
class Composed:
    """A merge that has been made.

    Attributes:
        commit: of it.
        parameters: what came of params.yaml.
        mistakes: what the newer pipeline's checks say of it, in a line; empty: nothing.
        left_out: files that stay deleted.
    """

    commit: str
    parameters: Merged
    mistakes: str = ""
    left_out: list[str] = field(default_factory=list)


def compose(sides: Sides, attributes: Sequence[str], headline: str, held: Collection[str] = ()) -> Composed:
    """Merge in a working tree of its own: results are one's own, parameters are merged by key, all else as git does.

    Args:
        attributes: as `attributes_of` gives them.
        held: of `flows.upstream.merged_parameters.merge`.

    Raises:
        FlowError: both sides have changed the same places; nothing has happened then.
    """
    with _beside(sides.ours) as tree:
        command = ["merge", "--quiet", "--no-commit", "--no-ff", "--no-verify", sides.theirs]
        try:
            git(*SETTINGS, *attributes, *command, folder=tree, env=author(tree))
        except GitError:
            if not _unmerged(tree):
                raise
        parameters = _merge_parameters(sides, tree, held)
        left_out = _settle(sides, attributes, tree)
        if conflicts := sorted(_unmerged(tree)):
            named = first_and_more(list(map(visible, conflicts)), 5)
            raise FlowError(
                f"both you and the newer pipeline have changed {named}; nothing has happened here. Merge by hand: "
                f"`git commit --all`, then `git -c merge.ours.driver=true merge {sides.theirs[:12]}`"
            )
        written = git("write-tree", folder=tree)
        parents = ["-p", sides.ours, "-p", sides.theirs]
        commit = git("commit-tree", written, *parents, folder=tree, env=author(tree), text=f"{headline}\n")
        git(*SETTINGS, "reset", "--quiet", "--hard", commit, folder=tree)
        return Composed(commit, parameters, _mistakes(tree), left_out)


@contextmanager
def _beside(commit: str) -> Iterator[Path]:
    """A working tree of a commit that goes away again."""
    folder = Path(tempfile.mkdtemp(prefix="smallset-"))
    tree = folder / "tree"
    try:
        git(*SETTINGS, "worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            # No other one: `prune` would forget those that lie on a disk which is not there just now.
            git("worktree", "remove", "--force", str(tree))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unmerged(tree: Path) -> dict[str, set[int]]:
    """Files in conflict, each with the sides that have it: 1 base, 2 ours, 3 theirs."""
    found: dict[str, set[int]] = {}
    for entry in git("ls-files", "--unmerged", "-z", folder=tree).split("\0"):
        about, _, path = entry.partition("\t")
        if path:
            found.setdefault(path, set()).add(int(about.split()[2]))
    return found


def _merge_parameters(sides: Sides, tree: Path, held: Collection[str]) -> Merged:
    """Put the merge by key in the place of what git has made of params.yaml."""
    base, ours, theirs = (content(commit, str(PARAMS), tree) for commit in (sides.base, sides.ours, sides.theirs))
    if ours is None or theirs is None:
        return Merged()
    by_git = (tree / PARAMS).read_text(encoding="utf-8") if (tree / PARAMS).is_file() else None
    try:
        merged = merge(f"{base or '{}'}\n", f"{ours}\n", f"{theirs}\n", by_git, held)
    except (YAMLError, ValueError, AttributeError) as error:
        raise FlowError(
            f"{PARAMS}: expected YAML with sections on both sides: {' '.join(str(error).split())}"
        ) from None
    blob = git("hash-object", "-w", "--stdin", folder=tree, text=merged.text)
    _put(tree, [f"0 {_NOTHING}\t{PARAMS}", f"100644 {blob}\t{PARAMS}"])
    return merged


def _settle(sides: Sides, attributes: Sequence[str], tree: Path) -> list[str]:
    """Put one's own results in place, and leave out what one has deleted; returns the latter."""
    base, ours, theirs = (_files(commit, tree) for commit in (sides.base, sides.ours, sides.theirs))
    merged = git("ls-files", "-z", folder=tree).split("\0")
    entries = []
    for path in results_among(sorted({*base, *ours, *theirs, *filter(None, merged)}), attributes, tree):
        entries.append(f"0 {_NOTHING}\t{path}")
        # What no stage of the newer pipeline writes would lie there for ever, and be of no run.
        if path in ours and (path in theirs or path not in base):
            entries.append(f"{ours[path]}\t{path}")
    deleted = [path for path, sides_with in _unmerged(tree).items() if sides_with == {1, 3}]
    entries += [f"0 {_NOTHING}\t{path}" for path in deleted]
    _put(tree, entries)
    return deleted


def _files(commit: str, tree: Path) -> dict[str, str]:
    """The files of a commit, each with its mode and object."""
    found = {}
    for entry in git("ls-tree", "-r", "-z", commit, folder=tree).split("\0"):
        about, _, path = entry.partition("\t")
        if path:
            mode, _, name = about.split()
            found[path] = f"{mode} {name}"
    return found


def _put(tree: Path, entries: Sequence[str]) -> None:
    """Write into the index: a mode of 0 takes a path out, with all sides of its conflict."""
    git("update-index", "-z", "--index-info", folder=tree, text="".join(f"{entry}\0" for entry in entries))


def _mistakes(tree: Path) -> str:
    try:
        with chdir(tree):
            check_parameters()
    except FlowError as error:
        return str(error)
    return ""
