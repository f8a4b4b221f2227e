"""`smallset history`: every saved run of a branch, what people decided by hand, and the model in use."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from flows.registry import gto, saved_runs


@dataclass(frozen=True)
class Entry:
    """One saved run.

    Attributes:
        run: its tag, also where that was cleaned away (not `is_kept`).
        started: UTC.
        source: the commit that was run.
        seconds: of the whole run.
        headline: what counted there, accuracy or balanced_accuracy.
        measured: that of the recommended model with its interval; None where there is none.
        decision: of the gate.
        reason: of the gate.
        instead_of: the run whose model was in use then.
        version: that it was given when it was promoted.
        in_use: whether that is in use now.
        archive: checksum of the images.
        classifier: checksum of the model.
    """

    run: str
    commit: str
    started: str
    outcome: str
    images: dict[str, int]
    recommended: str
    headline: str
    measured: tuple[float, float, float] | None
    decision: str
    reason: str
    version: str
    in_use: bool
    branch: str
    source: str
    seconds: float | None
    asks: bool
    instead_of: str
    archive: str
    classifier: str
    test_images: dict[str, Any]
    cautions: list[str]
    is_kept: bool


@dataclass(frozen=True)
class Word:
    """What a person did by hand.

    Attributes:
        started: when.
        decision: "promote", "rollback", "hold" or "release".
        in_use: whether it is the last word.
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
            run=run_of(one),
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
    return f"in use: {gto.ARTIFACT} {one.version}, {run_of(one)}, since {when}, {how}: {one.message}{held}"


def run_of(one: gto.Promotion) -> str:
    """What made the model that was promoted: a saved run, or another commit."""
    run = (saved_runs.record_of(one.commit) or {}).get("id")
    return f"run/{run}" if run else f"commit {one.commit[:8]}"


def read_history(workspace: saved_runs.Workspace, most: int | None = None) -> list[Entry]:
    """The saved runs of a branch, the latest first.

    Args:
        most: how many at the most; None for all.
    """
    present = gto.in_use()
    registered = gto.registered()
    tags = saved_runs.tags()
    return [
        _entry(one, registered.get(one.commit, ""), present, one.name in tags)
        for one in saved_runs.versions(workspace, most=most)
    ]


def _entry(one: saved_runs.Version, version: str, present: gto.Promotion | None, is_kept: bool) -> Entry:
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
        images={} if failed else (record.get("data") or {}).get("images", {}),
        recommended=summary.get("recommended", ""),
        headline=headline,
        measured=None if value is None or low is None or high is None else (value, low, high),
        decision=record.get("decision") or "",
        reason=record.get("reason") or "",
        version=version,
        in_use=present is not None and one.commit == present.commit,
        branch=record.get("branch") or "",
        source=record.get("source") or "",
        seconds=(record.get("run") or {}).get("seconds"),
        asks=bool(record.get("asks")),
        instead_of=record.get("instead_of") or "",
        archive=(record.get("data") or {}).get("archive") or "",
        classifier=record.get("classifier") or "",
        test_images=record.get("test_images") or {},
        cautions=summary.get("cautions") or [],
        is_kept=is_kept,
    )
