"""What git says where a repository is damaged, and how to get rid of it."""

import re
import shlex
from pathlib import Path

_LOCKED = re.compile(r"Unable to create '(?P<lock>[^']+\.lock)': File exists")
_INDEX = re.compile(r"index file (?:corrupt|smaller than expected|open failed)|bad (?:index file|signature 0x)")
_OBJECT = re.compile(
    r"object file .* is empty|corrupt loose object|loose object .* is corrupt|missing object|bad (?:tree )?object"
    r"|unable to (?:unpack|parse|read) .*(?:header|object|tree|sha1 file)|inflate: data stream error|not a tree"
    r"|pack.* (?:corrupt|far too short|cannot be accessed|does not match)|could not parse|failed to read object"
    r"|missing (?:blob|tree|commit) [0-9a-f]{7}|could not read [0-9a-f]{7}|hash mismatch"
)


def remedy(said: str, folder: Path | str) -> str | None:
    """What to do about what git has said; None where it does not speak of damage.

    Args:
        said: git's standard error, in English.
        folder: where git was called.
    """
    here = Path(folder).resolve()
    if found := _LOCKED.search(said):
        return f"another git is at work, or was killed: if none is, `rm {shlex.quote(found['lock'])}`"
    if _INDEX.search(said):
        index, place = shlex.quote(str(_index_of(here))), shlex.quote(str(here))
        return f"its index is damaged: `rm {index} && git -C {place} reset` makes it anew, no file changes"
    if _OBJECT.search(said):
        return of_objects(here)
    return None


def of_objects(folder: Path | str) -> str:
    """What to do about damaged objects of a repository."""
    here, place = Path(folder).resolve(), shlex.quote(str(Path(folder).resolve()))
    return (
        f"{here} is damaged: `git -C {place} fsck` names what, and `git -C {place} fetch --refetch origin` brings back "
        "what others have; a checkout of `smallset retrain` may be moved away, the next run makes another"
    )


def _index_of(here: Path) -> Path:
    """Where the index of a repository lies; a worktree of another one has a file that says where its own things are."""
    mark = here / ".git"
    if not mark.is_file():
        return mark / "index"
    return here / mark.read_text(encoding="utf-8", errors="surrogateescape").removeprefix("gitdir:").strip() / "index"
