"""`smallset history`: every saved run of a branch, and which model was in use when."""

from dataclasses import dataclass
from typing import Any

from flows import registry, versions


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


def read_history(branch: str, most: int | None = None) -> list[Entry]:
    """The saved runs of a branch, the latest first.

    Args:
        most: how many at the most; None for all.
    """
    present = registry.in_use()
    registered = registry.registered()
    return [_entry(one, registered.get(one.commit, ""), present) for one in versions.versions(branch, most=most)]


def _entry(one: versions.Version, version: str, present: registry.Promotion | None) -> Entry:
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
