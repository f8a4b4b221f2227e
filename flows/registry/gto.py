"""Which version of the classifier is in use: GTO's tags `classifier@v1.2.3` and `classifier#production#4`."""

import logging.config
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from flows.errors import FlowError
from flows.project.git import author

ARTIFACT, STAGE = "classifier", "production"
FIRST = "v1.0.0"
TAGS = (f"{ARTIFACT}@*", f"{ARTIFACT}#*")
Action = Literal["promote", "rollback", "hold", "release"]
_BY_HAND = "Smallset-by-hand: "  # last line of a tag's message: what a person did
_ACTIONS: tuple[Action, ...] = ("promote", "rollback", "hold", "release")


@dataclass(frozen=True)
class Promotion:
    """A version of the classifier that was put into use, or a person's word on the one in use.

    commit: full, of the run that made it. at: UTC, whole seconds. tag: that says so. message: why. who: name of whoever
    made the tag. action: what a person did; None of the gate.
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
    with _gto() as api:
        events = api.history(str(folder), ARTIFACT)
    found = [_read(event) for event in events if event["event"] == "assignment" and event["stage"] == STAGE]
    return sorted(found, key=number, reverse=True)


def in_use(folder: Path | str = ".") -> Promotion | None:
    """The version in use now; None before the first promotion."""
    return next(iter(promotions(folder)), None)


def promote(commit: str, message: str, folder: Path | str = ".", action: Action | None = None) -> Promotion:
    """Register the classifier of a run as the next version, unless it has one, and put it into use.

    Args:
        action: what a person does; None of the gate.

    Raises:
        FlowError: the commit does not declare the artifact, or its version is in use already.
    """
    versions = registered(folder)
    if commit not in versions:
        following: dict[str, Any] = {"bump_minor": True} if versions else {"version": FIRST}
        with _gto() as api:
            api.register(str(folder), ARTIFACT, commit, message=message, **following, **_who(folder))
        versions = registered(folder)
    return _assign(versions[commit], message, folder, action)


def is_registered(commit: str, folder: Path | str = ".") -> bool:
    """Whether the classifier of a run has a version, whether it is in use or not."""
    return commit in registered(folder)


def rollback(message: str, folder: Path | str = ".") -> Promotion:
    """Put the version into use again that was in use before the present one; again, and it is the one before that.

    Raises:
        FlowError: there is none.
    """
    used = promotions(folder)
    if not used:
        raise FlowError("nothing is in use: expected a promotion before a rollback; see `smallset promote`")
    earlier = [one.version for one in used if _order(one.version) < _order(used[0].version)]
    if not earlier:
        raise FlowError(f"{used[0].version} is the first version that was in use: there is none to go back to")
    return _assign(max(earlier, key=_order), message, folder, "rollback")


def hold(message: str, folder: Path | str = ".") -> Promotion:
    """Keep the version in use, whatever the gate says, until `release` or a promotion by hand.

    Raises:
        FlowError: nothing is in use.
    """
    return _assign(_present(folder).version, message, folder, "hold")


def release(message: str, folder: Path | str = ".") -> Promotion:
    """Let the gate decide again; what is in use stays.

    Raises:
        FlowError: nothing is in use, or it is not held.
    """
    present = _present(folder)
    if not present.is_held:
        raise FlowError(f"{ARTIFACT} {present.version} is not held: nothing to release")
    return _assign(present.version, message, folder, "release")


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


def _read(event: Mapping[str, Any]) -> Promotion:
    at, tag, who = event["timestamp"], event["ref"], event["author"] or ""
    message, action = read_message(event["message"])
    return Promotion(event["version"], event["commit"], at, tag, message, who, action)


def read_message(text: str) -> tuple[str, Action | None]:
    """Read the message of a tag: why, and what a person did; None of the gate."""
    why, _, action = text.strip().rpartition(f"\n{_BY_HAND}")
    known = next((name for name in _ACTIONS if name == action), None)
    return (why.strip(), known) if known else (text.strip(), None)


def number(one: Promotion) -> int:
    """Which promotion it is: a later one has a larger number."""
    return int(one.tag.rpartition("#")[2])


def _present(folder: Path | str) -> Promotion:
    present = in_use(folder)
    if present is None:
        raise FlowError("nothing is in use: expected a promotion before; see `smallset promote`")
    return present


def _assign(version: str, message: str, folder: Path | str, action: Action | None) -> Promotion:
    present = in_use(folder)
    if present and present.version == version and action not in ("hold", "release"):
        raise FlowError(f"{ARTIFACT} {version} is in use already")
    # GTO's own commands order by whole seconds. A tag dated in the future is of a wrong clock: not waited for.
    while present and present.at == datetime.now(UTC).replace(microsecond=0):
        time.sleep(0.05)
    if action:
        message = f"{message}\n\n{_BY_HAND}{action}"
    with _gto() as api:
        # Forced: a version that was in use before may be so again.
        api.assign(str(folder), ARTIFACT, STAGE, version=version, message=message, force=True, **_who(folder))
    promoted = in_use(folder)
    if promoted is None or promoted.version != version or promoted == present:
        raise FlowError(f"expected {ARTIFACT} {version} in use after the promotion, found {promoted}")
    return promoted


def registered(folder: Path | str = ".") -> dict[str, str]:
    """Commits with a registered version, and that version."""
    with _gto() as api:
        if ARTIFACT not in api.show(str(folder)):
            return {}
        return {one["commit_hexsha"]: one["version"] for one in api.show(str(folder), ARTIFACT)}


def _order(version: str) -> tuple[int, ...]:
    # Somebody may have registered `v1.2.0-rc1`.
    return tuple(map(int, re.findall(r"[0-9]+", version)[:3]))


def _who(folder: Path | str) -> dict[str, str]:
    missing = author(folder)
    return {
        name: missing[variable]
        for name, variable in (("author", "GIT_AUTHOR_NAME"), ("author_email", "GIT_AUTHOR_EMAIL"))
        if variable in missing
    }


@contextmanager
def _gto() -> Iterator[ModuleType]:
    """GTO's API, its errors as ours."""
    api, exceptions = _load()
    try:
        yield api
    except exceptions.GTOException as error:
        raise FlowError(f"gto: {error}") from None


@cache
def _load() -> tuple[ModuleType, ModuleType]:
    """GTO without its logging: on import it closes every handler of this process, for its own command line."""
    configure = logging.config.dictConfig
    logging.config.dictConfig = lambda config: None
    try:
        from gto import api, exceptions
    finally:
        logging.config.dictConfig = configure
    return api, exceptions
