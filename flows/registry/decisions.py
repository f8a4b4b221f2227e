"""Which decisions were made in this checkout, and which are still to come or to be carried out.

A decision in `run.json` is whatever the one who pushed it wrote there. Those made here are kept beside git's own files,
where no commit can put anything; every other one is made again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.project.git import git, own_file
from flows.registry import gto
from flows.registry.saved_runs import Version, record_of

UNDECIDED, PROMOTED, REJECTED, HELD = "undecided", "promoted", "rejected", "held"
WAITING = ("decision", "reason", "asks", "instead_of")  # what a record says of it
_FILE = "smallset-decisions"  # in the folder of git: the tree of each run that was decided here, a line each


def remember(commit: str, folder: Path | str = ".") -> None:
    """Keep that the decision of a run was made here."""
    with own_file(_FILE, folder).open("a", encoding="ascii") as file:
        file.write(f"{_tree(commit, folder)}\n")


def made_here(commit: str, folder: Path | str = ".") -> bool:
    """Whether the decision of a run was made here, with exactly the files that its commit holds.

    A run that was put behind one of another workspace is another commit of the same tree.
    """
    file = own_file(_FILE, folder)
    return file.is_file() and _tree(commit, folder) in file.read_text(encoding="ascii").split()


def is_open(last: Version, folder: Path | str = ".") -> bool:
    """Whether a run's decision is still to come, or to be carried out."""
    decision, used = last.record.get("decision"), gto.promotions(folder)
    if decision == HELD:
        return not (used and used[0].is_held)
    if decision == UNDECIDED:
        return not waits(last, folder)
    return decision == PROMOTED and last.commit not in {one.commit for one in used}


def waits(last: Version, folder: Path | str = ".") -> bool:
    """Whether a person is asked about a run, or holds another version, and what was said of it here is still so."""
    asks = last.record.get("asks", False) or last.record.get("decision") == HELD
    used = gto.promotions(folder)
    still = last.record.get("instead_of") == run_of(used[0] if used else None)
    return bool(asks) and still and made_here(last.commit, folder)


def is_nothing_new(record: Mapping[str, Any], last: Version, folder: Path | str = ".") -> bool:
    """Whether a run came to what the last saved one says: it is not saved, or every push would grow for nothing.

    Args:
        record: of the run that has ended.
    """
    if record["outcome"] != "up to date" or last.record.get("outcome") == "failed":
        return False
    if "decision" not in record:
        return True
    is_same = all(record.get(name) == last.record.get(name) for name in WAITING)
    return is_same and made_here(last.commit, folder)


def run_of(promotion: gto.Promotion | None) -> str | None:
    """What names a model in use for good: commits move, and versions are numbered anew, until they are pushed."""
    if promotion is None:
        return None
    found: str = (record_of(promotion.commit) or {}).get("id", promotion.commit)
    return found


def _tree(commit: str, folder: Path | str) -> str:
    return git("rev-parse", "--verify", f"{commit}^{{tree}}", folder=folder)
