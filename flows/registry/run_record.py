"""What `run.json` of a saved run says, as far as every run has it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from flows.errors import FlowError
from flows.execution.process_output import Outcome, StageResult, done
from flows.project import source
from flows.project.divided import SPLIT, images_of_subsets
from flows.project.dvc_lock import LOCK, read_lock
from flows.project.git import content, resolve
from flows.project.graph import read_stages
from flows.project.outputs import checksum_of, read_makers
from flows.project.records import SCHEMA, SUMMARY
from flows.registry import saved_runs
from flows.registry.gto import ARTIFACT
from flows.run.provenance import read_record
from flows.run.results import read_summary
from safety.words import first_and_more

CLASSIFIER = Path("models") / ARTIFACT
ARCHIVE = Path("data") / "raw.zip"
_MOST = 3  # stages that are named
_FAILED = (Outcome.FAILED, Outcome.STOPPED)


def compose(workspace: saved_runs.Workspace, results: Sequence[StageResult]) -> dict[str, Any]:
    """The record of the run that has just ended in the working directory.

    Returns:
        schema (`flows.project.records.SCHEMA`), id, branch, source (the commit that was run), outcome ("trained",
        "up to date", "failed"), reason (if failed), data (counts per subset, checksum of the archive), classifier (its
        checksum), summary (of the report), run (as `flows.run.provenance` has it). What this run did not come to is
        empty: it lies there of an earlier one.

    Raises:
        FlowError: a stage failed in such a way that nothing is left to be recorded, or what lies here is not what the
            run has left.
    """
    failed = [f"{one.name}: {one.reason}" for one in results if one.outcome in _FAILED]
    if failed and LOCK.exists() and read_lock() is None:
        raise FlowError(failed[0])
    if not failed:
        _require_unchanged(results)
    run = read_record()
    makers, good = read_makers(), done(results)
    own = {path for path in (ARCHIVE, SPLIT, CLASSIFIER, SUMMARY) if makers.get(path.as_posix()) in good}
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "id": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}",
        "branch": workspace.branch,
        "source": resolve("HEAD"),
        "outcome": _outcome(results, saved_runs.latest(workspace)),
        "data": {
            "images": images_of_subsets() if SPLIT in own else {},
            "archive": checksum_of(ARCHIVE.as_posix()) if ARCHIVE in own else None,
        },
        "classifier": checksum_of(CLASSIFIER.as_posix()) if CLASSIFIER in own else None,
        "summary": read_summary() or None if SUMMARY in own else None,
        "run": asdict(run) if run else None,
    }
    if record["outcome"] == "failed":
        record["reason"] = failed[0]
    return record


def _require_unchanged(results: Sequence[StageResult]) -> None:
    """Raise FlowError where the commit of a run would hold other parameters, code or data than its results are of.

    Somebody may have edited them, or checked out another commit, after the stage that read them.
    """
    good = done(results)
    # Of one that DVC runs each time nothing else is said.
    found = [
        f"{stage.name} ({', '.join(stage.changes) or 'at work'})"
        for stage in read_stages()
        if stage.name in good and (stage.at_work or set(stage.changes) - {"always changed"})
    ]
    if found:
        raise FlowError(f"not saved: changed since these stages ran: {first_and_more(found, _MOST)}; run again")


def save(record: Mapping[str, Any], workspace: saved_runs.Workspace) -> saved_runs.Version:
    """Commit the run that has just ended to the branch of its runs.

    Raises:
        FlowError: git failed.
    """
    return saved_runs.save(record, workspace, _headline(record), also=[source.STATE])


def _outcome(results: Sequence[StageResult], last: saved_runs.Version | None) -> str:
    """Beside the last saved run, not by what ran just now: a run before may have been killed with its work done."""
    if any(one.outcome in _FAILED or one.outcome is Outcome.NOT_RUN for one in results):
        return "failed"
    if last and content(last.commit, str(LOCK)) == LOCK.read_text(encoding="utf-8").rstrip("\n"):
        return "up to date"
    return "trained"


def _headline(record: Mapping[str, Any]) -> str:
    summary = record["summary"]
    if record["outcome"] != "trained" or not summary:
        return f"Run: {record['outcome']}"
    measure = summary.get("headline", "accuracy")
    value, low, high = (summary[f"{measure}{end}"] for end in ("", "_low", "_high"))
    kind = "" if measure == "accuracy" else f"{measure.replace('_', ' ')} "
    return (
        f"Run: {summary['recommended']} {kind}{value:.4f} ({low:.4f} to {high:.4f}), {record.get('decision', 'saved')}"
    )
