"""Annotated tags of git, in an order that no clock can upset.

GTO and `dvc artifacts get` order tags by their date. Clocks jump, and those of two machines differ, so a tag made here
is dated after every one that is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.project.git import author, git

_FIELDS = ("refname:lstrip=2", "objecttype", "*objectname", "taggerdate:unix", "taggername", "contents")
_END = "%00"  # of each field: no name and no message has such a character
_NEAR = timedelta(minutes=2)  # clocks of two machines differ that much
_LAST = 253_370_764_800  # the year 9999, in seconds: git has later ones, Python has not


@dataclass(frozen=True)
class Tag:
    """An annotated tag.

    Attributes:
        commit: full.
        at: UTC, whole seconds.
        who: the name of whoever made it.
    """

    name: str
    commit: str
    at: datetime
    who: str
    message: str


def read_tags(patterns: Sequence[str], folder: Path | str = ".") -> list[Tag]:
    """Read the annotated tags whose names match.

    Args:
        patterns: of git, such as `classifier@*`.
    """
    form = "".join(f"%({field}){_END}" for field in _FIELDS)
    listed = git("for-each-ref", f"--format={form}", *(f"refs/tags/{one}" for one in patterns), folder=folder)
    fields, width, found = listed.split("\0")[:-1], len(_FIELDS), []
    for start in range(0, len(fields), width):
        name, kind, commit, at, who, message = fields[start : start + width]
        if kind == "tag" and commit and at:
            found.append(
                Tag(name.lstrip("\n"), commit, datetime.fromtimestamp(min(int(at), _LAST), UTC), who, message.strip())
            )
    return found


def make_tag(name: str, commit: str, message: str, after: Sequence[str], folder: Path | str = ".") -> None:
    """Make an annotated tag, dated now, or right after the latest of those that match `after`.

    Raises:
        FlowError: git refuses, such as a name that is taken.
    """
    latest = max((tag.at for tag in read_tags(after, folder)), default=datetime.fromtimestamp(0, UTC))
    at = max(datetime.now(UTC), latest + timedelta(seconds=1))
    who = author(folder) | {"GIT_COMMITTER_DATE": f"@{int(at.timestamp())} +0000"}
    # Not signed: nobody may be there to unlock a key.
    options = ("--annotate", "--no-sign", "--cleanup=verbatim", "--file=-")
    git("tag", *options, "--", name, commit, folder=folder, env=who, text=message)


def ahead(at: datetime) -> str:
    """What to know of a tag whose date has not come yet; empty for every other one."""
    if at < datetime.now(UTC) + _NEAR:
        return ""
    return (
        f"dated {at:%Y-%m-%d %H:%M} UTC, which is to come, as it follows one of a wrong clock: "
        "set the clock of whoever made that; the order of promotions is right all the same"
    )
