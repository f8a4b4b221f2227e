"""Which version of the classifier is in use: tags `classifier@v1.2.3` and `classifier#production#4`, as GTO has them.

They are read and made by git itself: GTO orders by date, which clocks upset, and its own git does not know who somebody
is where only GIT_CONFIG_GLOBAL or the environment says so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal

from flows.errors import FlowError
from flows.registry import tag_dates

ARTIFACT, STAGE = "classifier", "production"
TAGS = (f"{ARTIFACT}@*", f"{ARTIFACT}#*")
Action = Literal["promote", "rollback", "hold", "release"]
_BY_HAND = "Smallset-by-hand: "  # last line of a tag's message: what a person did
_ACTIONS: tuple[Action, ...] = ("promote", "rollback", "hold", "release")
_ASSIGNMENT = re.compile(rf"{ARTIFACT}#{STAGE}#(\d+)")
_TAKEN_BACK = re.compile(rf"{ARTIFACT}#{STAGE}!#(\d+)")
_VERSION = re.compile(rf"{ARTIFACT}@(v\d+\.\d+\.\d+[-+.\w]*)")


@dataclass(frozen=True)
class Promotion:
    """A version of the classifier that was put into use, or a person's word on the one in use.

    Attributes:
        commit: full, of the run that made it.
        at: UTC, whole seconds.
        tag: that says so.
        message: why.
        who: name of whoever made the tag.
        action: what a person did; None of the gate.
    """

    version: str
    commit: str
    at: datetime
    tag: str
    message: str
    who: str = ""
    action: Action | None = None

    @property
    def is_held(self) -> bool:
        """Whether it stays in use, whatever the gate says, until a person says otherwise."""
        return self.action in ("rollback", "hold")


def promotions(folder: Path | str = ".") -> list[Promotion]:
    """Every time a version was put into use or a person had a word, the latest first: by number, not by clock.

    Raises:
        FlowError: the tags cannot be read.
    """
    registered_at, tags = registered(folder), tag_dates.read_tags(TAGS, folder)
    found = [_read(tag, registered_at) for tag in tags if _ASSIGNMENT.fullmatch(tag.name)]
    # Of each commit the last of the tags by which GTO takes all assignments before it back.
    back: dict[str, int] = {}
    for tag in tags:
        if match := _TAKEN_BACK.fullmatch(tag.name):
            back[tag.commit] = max(int(match[1]), back.get(tag.commit, 0))
    return sorted((one for one in found if number(one) > back.get(one.commit, 0)), key=number, reverse=True)


def in_use(folder: Path | str = ".") -> Promotion | None:
    """The version in use now; None before the first promotion."""
    return next(iter(promotions(folder)), None)


def require_in_use(folder: Path | str = ".") -> Promotion:
    """The version in use now.

    Raises:
        FlowError: nothing is in use.
    """
    if (present := in_use(folder)) is None:
        raise FlowError("nothing is in use: expected a promotion before; see `smallset promote`")
    return present


def promote(commit: str, message: str, folder: Path | str = ".", action: Action | None = None) -> Promotion:
    """Register the classifier of a run as the next version, unless it has one, and put it into use.

    Args:
        action: what a person does; None of the gate.

    Raises:
        FlowError: its version is in use already, or git refuses.
    """
    versions = registered(folder)
    if commit not in versions:
        versions[commit] = _following(folder)
        tag_dates.make_tag(f"{ARTIFACT}@{versions[commit]}", commit, message, TAGS, folder)
    return _assign(versions[commit], commit, message, folder, action)


def rollback(message: str, folder: Path | str = ".") -> Promotion:
    """Put the version into use again that was in use before the present one; again, and it is the one before that.

    Raises:
        FlowError: there is none.
    """
    used = promotions(folder)
    if not used:
        raise FlowError("nothing is in use: expected a promotion before a rollback; see `smallset promote`")
    earlier = [one for one in used if _order(one.version) < _order(used[0].version)]
    if not earlier:
        raise FlowError(f"{used[0].version} is the first version that was in use: there is none to go back to")
    last = max(earlier, key=lambda one: _order(one.version))
    return _assign(last.version, last.commit, message, folder, "rollback")


def hold(message: str, folder: Path | str = ".") -> Promotion:
    """Keep the version in use, whatever the gate says, until `release` or a promotion by hand.

    Raises:
        FlowError: nothing is in use.
    """
    present = require_in_use(folder)
    return _assign(present.version, present.commit, message, folder, "hold")


def release(message: str, folder: Path | str = ".") -> Promotion:
    """Let the gate decide again; what is in use stays.

    Raises:
        FlowError: nothing is in use, or it is not held.
    """
    present = require_in_use(folder)
    if not present.is_held:
        raise FlowError(f"{ARTIFACT} {present.version} is not held: nothing to release")
    return _assign(present.version, present.commit, message, folder, "release")


def withdrawn(used: Sequence[Promotion]) -> dict[str, Promotion]:
    """Versions that a person took out of use and nobody put into use since, each with the rollback that did it.

    Args:
        used: as `promotions` has them.
    """
    found: dict[str, Promotion] = {}
    for before, one in pairwise(reversed(used)):
        if one.action == "rollback":
            found[before.version] = one
        found.pop(one.version, None)
    return found


def _read(tag: tag_dates.Tag, versions: Mapping[str, str]) -> Promotion:
    message, action = read_message(tag.message)
    return Promotion(versions.get(tag.commit, tag.commit), tag.commit, tag.at, tag.name, message, tag.who, action)


def read_message(text: str) -> tuple[str, Action | None]:
    """Read the message of a tag: why, and what a person did; None of the gate."""
    why, _, action = text.strip().rpartition(f"\n{_BY_HAND}")
    known = next((name for name in _ACTIONS if name == action), None)
    return (why.strip(), known) if known else (text.strip(), None)


def number(one: Promotion) -> int:
    """Which promotion it is: a later one has a larger number."""
    return int(one.tag.rpartition("#")[2])


def _assign(version: str, commit: str, message: str, folder: Path | str, action: Action | None) -> Promotion:
    present = in_use(folder)
    if present and present.version == version and action not in ("hold", "release"):
        raise FlowError(f"{ARTIFACT} {version} is in use already")
    if action:
        message = f"{message}\n\n{_BY_HAND}{action}"
    numbers = [int(found[1]) for one in tag_dates.read_tags(TAGS, folder) if (found := re.search(r"#(\d+)$", one.name))]
    name = f"{ARTIFACT}#{STAGE}#{max(numbers, default=0) + 1}"
    tag_dates.make_tag(name, commit, message, TAGS, folder)
    promoted = in_use(folder)
    if promoted is None or promoted.version != version or promoted == present:
        raise FlowError(f"expected {ARTIFACT} {version} in use after the promotion, found {promoted}")
    return promoted


def registered(folder: Path | str = ".") -> dict[str, str]:
    """Commits with a registered version, and that version."""
    tags = tag_dates.read_tags(TAGS, folder)
    gone = {tag.name.partition("!")[0] for tag in tags if "!" in tag.name}
    found = [(tag, known[1]) for tag in tags if (known := _VERSION.fullmatch(tag.name)) and tag.name not in gone]
    return {tag.commit: version for tag, version in sorted(found, key=lambda one: _order(one[1]))}


def _following(folder: Path | str) -> str:
    """The version of the next classifier; one that was taken back stays taken."""
    known = [_order(found[1]) for one in tag_dates.read_tags(TAGS, folder) if (found := _VERSION.match(one.name))]
    major, minor, _ = max(known, default=(1, -1, 0))
    return f"v{major}.{minor + 1}.0"


def _order(version: str) -> tuple[int, int, int]:
    # Somebody may have registered `v1.2.0-rc1`, or assigned what has no version.
    found = re.match(r"v(\d+)\.(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (-1, 0, 0)
