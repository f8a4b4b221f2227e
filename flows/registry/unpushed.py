"""Promotions that only this workspace has, kept while those of others are taken in: none is lost, at any moment."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from flows.project.git import git, resolve
from flows.registry import gto, saved_runs
from flows.registry.gto import Promotion

_KEPT = "refs/smallset/unpushed/"  # <number of the last promotion that others knew>/<own number>: the tag's object
THEIRS = "refs/smallset/theirs/"  # their tags, as fetched


def take_in(patterns: list[str], folder: Path | str = ".") -> None:
    """Lay down the fetched tags of others in place of those that only this workspace has, in one transaction.

    Promotions of its own are kept for `promote_again`: another workspace may have given their numbers to others.

    Args:
        patterns: refs of tags that are published.
    """
    fetched = {f"refs/tags/{name.removeprefix(THEIRS)}": found for name, found in _refs([THEIRS], folder).items()}
    # A tag of another kind may be somebody's own here.
    theirs = {name: found for name, found in fetched.items() if any(fnmatchcase(name, one) for one in patterns)}
    own = {name: found for name, found in _refs(patterns, folder).items() if theirs.get(name) != found}
    used = gto.promotions(folder)
    known = max((gto.number(one) for one in used if f"refs/tags/{one.tag}" not in own), default=0)
    kept = {
        f"{_KEPT}{known}/{gto.number(one):06}": own[f"refs/tags/{one.tag}"]
        for one in used
        if f"refs/tags/{one.tag}" in own
    }
    lost = [name for name in own if name not in theirs and not name.startswith("refs/tags/run/")]
    lines = [f"update {name} {found}" for name, found in (theirs | kept).items()] + [f"delete {name}" for name in lost]
    git("update-ref", "--stdin", folder=folder, text="".join(f"{line}\n" for line in lines))


def untold(remote: str, patterns: list[str], folder: Path | str = ".") -> list[str]:
    """Tags that match and that a repository does not have as they are here: somebody pushed the branch without them.

    Raises:
        GitError: the repository cannot be reached.
    """
    listed = git("ls-remote", "--refs", remote, *patterns, folder=folder).splitlines()
    theirs = {name: found for found, _, name in (line.partition("\t") for line in listed)}
    return [name for name, found in _refs(patterns, folder).items() if theirs.get(name) != found]


def promote_again(folder: Path | str = ".") -> None:
    """Put the promotions that were kept behind those of others, as far as they still hold.

    What the gate decided holds if nobody had a word meanwhile: it was decided beside the model in use. A person's word
    holds unless another person had one.
    """
    again: Promotion | None = None
    # By their numbers: as text, 10 comes before 9.
    kept = {name: tuple(map(int, name.removeprefix(_KEPT).split("/"))) for name in _refs([_KEPT], folder)}
    for name, (known, _) in sorted(kept.items(), key=lambda item: item[1]):
        present = gto.in_use(folder)
        is_new = present is not None and present != again and gto.number(present) > known
        commit, _, text = git("for-each-ref", "--format=%(object) %(contents)", name, folder=folder).partition(" ")
        message, action = gto.read_message(text)
        if not (is_new and present and (action is None or present.action)):
            again = _once_more(_now_at(commit, folder), message, action, present, folder) or again
        git("update-ref", "-d", name, folder=folder)


def _once_more(
    commit: str, message: str, action: gto.Action | None, present: Promotion | None, folder: Path | str
) -> Promotion | None:
    same = present is not None and present.commit == commit
    if action == "release" and not (same and present and present.is_held):
        return None
    if same and action in (None, "promote") and not (present and present.is_held):
        return None
    if same and action == "rollback":
        action = "hold"
    return gto.promote(commit, message, folder, action)


def _now_at(commit: str, folder: Path | str) -> str:
    """The commit of a run, which has moved if others' runs came before it."""
    run = (saved_runs.record_of(commit, folder) or {}).get("id")
    return (resolve(f"refs/tags/run/{run}", folder) if run else None) or commit


def _refs(patterns: list[str], folder: Path | str) -> Mapping[str, str]:
    lines = git("for-each-ref", "--format=%(refname) %(objectname)", *patterns, folder=folder).splitlines()
    return {name: found for name, _, found in (line.rpartition(" ") for line in lines)}
