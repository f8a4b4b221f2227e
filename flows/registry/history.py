"""`smallset history`: every saved run of a branch, what people decided by hand, and the model in use."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from flows.registry import gto, saved_runs


@dataclass(frozen=True)
class Entry:
    """One saved run.

    headline: what counted there, accuracy or balanced_accuracy. measured: that of the recommended model with its
    interval; None where there is none. in_use: whether the version that it made is in use now.
    """

    run: str
    commit: str
    started: str
    outcome: str
    pictures: dict[str, int]
    recommended: str
    headline: str
    measured: tuple[float, float, float] | None
    decision: str
    reason: str
    version: str
    in_use: bool


@dataclass(frozen=True)
class Word:
    """What a person did by hand.

    started: when. decision: "promote", "rollback", "hold" or "release". in_use: whether it is the last word.
    """

    run: str
    commit: str
    started: str
    decision: str
    reason: str
    who: str
    version: str
    in_use: bool


def read_words(since: str = "") -> list[Word]:
    """What people did by hand, the latest first.

    Args:
        since: when, as `started` has it; the last word is always there.
    """
    used = gto.promotions()
    words = [
        Word(
            run=_run_of(one),
            commit=one.commit,
            started=one.at.astimezone(UTC).isoformat(timespec="seconds"),
            decision=one.action,
            reason=one.message,
            who=one.who,
            version=one.version,
            in_use=one == used[0],
        )
        for one in used
        if one.action
    ]
    return [word for word in words if word.started >= since or word.in_use]


def describe_use() -> str:
    """Which model is in use, since when, by whom and why, in one line; empty where there is none."""
    one = gto.in_use()
    if one is None:
        return ""
    held = "; held until `smallset release` or `smallset promote`" if one.is_held else ""
    how = f"by {one.who}, by hand ({one.action})" if one.action else "by the gate"
    when = f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"in use: {gto.ARTIFACT} {one.version}, {_run_of(one)}, since {when}, {how}: {one.message}{held}"


def _run_of(one: gto.Promotion) -> str:
    run = (saved_runs.record_of(one.commit) or {}).get("id")
    return f"run/{run}" if run else f"commit {one.commit[:8]}"


def read_history(branch: str, most: int | None = None) -> list[Entry]:
    """The saved runs of a branch, the latest first.

    Args:
        most: how many at the most; None for all.
    """
    present = gto.in_use()
    registered = gto.registered()
    return [_entry(one, registered.get(one.commit, ""), present) for one in saved_runs.versions(branch, most=most)]


def _entry(one: saved_runs.Version, version: str, present: gto.Promotion | None) -> Entry:
    record: dict[str, Any] = one.record
    # What a failed run left was made by runs before it.
    failed = record.get("outcome") == "failed"
    summary = {} if failed else record.get("summary") or {}
    headline = summary.get("headline", "accuracy")
    value, low, high = (summary.get(f"{headline}{end}") for end in ("", "_low", "_high"))
    return Entry(
        run=one.name,
        commit=one.commit,
        started=(record.get("run") or {}).get("started", ""),
        outcome=record.get("outcome") or "",
        pictures={} if failed else (record.get("data") or {}).get("pictures", {}),
        recommended=summary.get("recommended", ""),
        headline=headline,
        measured=None if value is None or low is None or high is None else (value, low, high),
        decision=record.get("decision") or "",
        reason=record.get("reason") or "",
        version=version,
        in_use=present is not None and one.commit == present.commit,
    )
