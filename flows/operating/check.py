"""One finding of `smallset doctor`."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failure"]


@dataclass(frozen=True)
class Check:
    """What was looked at and how it is.

    Attributes:
        name: of the check, stable.
        found: what is there.
        todo: what to do about it; empty where all is well.
    """

    name: str
    state: State
    found: str
    todo: str = ""


def ok(name: str, found: str) -> Check:
    """All is well."""
    return Check(name, "ok", found)


def warning(name: str, found: str, todo: str) -> Check:
    """It works, and may not for long, or not as somebody may expect."""
    return Check(name, "warning", found, todo)


def failure(name: str, found: str, todo: str) -> Check:
    """It does not work."""
    return Check(name, "failure", found, todo)
