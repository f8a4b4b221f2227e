"""What becomes of the model of a retraining: by a person who holds a version, by what is known of both, by the gate."""

from collections.abc import Mapping, Sequence
from typing import Any

from flows.errors import FlowError
from flows.project import source
from flows.project.git import content
from flows.registry import decisions, gto, saved_runs
from flows.registry.decisions import HELD, PROMOTED, REJECTED, UNDECIDED
from flows.registry.saved_runs import Workspace
from flows.retraining import gate, known_images
from flows.run import left_out
from safety.words import counted


def decide(record: Mapping[str, Any], workspace: Workspace) -> dict[str, Any]:
    """What becomes of the model of a run: fields of its record."""
    used = gto.promotions()
    present = used[0] if used else None
    found = _of_the_gate(record, workspace, used)
    if present and present.is_held and found["decision"] == PROMOTED:
        why = f"{present.version} is held by {present.who} ({present.message}): `smallset release` lets the gate decide"
        found |= {"decision": HELD, "reason": f"{why}. It says: {found['reason']}"}
    return found


def _of_the_gate(record: Mapping[str, Any], workspace: Workspace, past: Sequence[gto.Promotion]) -> dict[str, Any]:
    """The same, were no version held by a person."""
    present = past[0] if past else None
    beside = {"instead_of": decisions.run_of(present)}
    used = (saved_runs.record_of(present.commit) or {}) if present else {}
    # Of a commit that is no saved run, or a project without that stage, nothing is known to be equal.
    classifier = record["classifier"] or "unknown"
    if present and used.get("classifier") == classifier:
        reason = f"its classifier is that of {present.version}, which is in use{left_out.told()}"
        return beside | {"decision": "unchanged", "reason": reason}
    if present and source.are_drawings(source.read_download()) and not _learnt_drawings(present):
        reason = f"it has learnt drawings, and {present.version} in use has not; download.source says what it learns"
        return beside | {"decision": REJECTED, "reason": reason}
    for version, back in gto.withdrawn(past).items():
        if _classifier_of(version, past) == classifier:
            reason = f"its classifier is that of {version}, which {back.who} took out of use: {back.message}"
            return beside | {"decision": REJECTED, "reason": reason}
    try:
        tested = known_images.fingerprint(known_images.predictions_of(record["summary"]["recommended"]))
        decision = gate.decide(present, record["summary"], gate.read_gate())
    except FlowError as error:
        # The run is kept; the next one decides.
        return beside | {"decision": UNDECIDED, "reason": str(error)}
    times = known_images.times_decided(workspace, tested)
    again = f" Its test images have decided {counted(times, 'time')} before." if times else ""
    return beside | {
        "decision": decision.word,
        "reason": decision.reason + again,
        "comparison": decision.comparison,
        "beside_best": decision.beside,
        "is_best": decision.is_best,
        "asks": decision.word == UNDECIDED,
        "test_images": {"fingerprint": tested, "decided_before": times},
    }


def _classifier_of(version: str, past: Sequence[gto.Promotion]) -> str | None:
    commit = next(one.commit for one in past if one.version == version)
    return (saved_runs.record_of(commit) or {}).get("classifier")


def _learnt_drawings(present: gto.Promotion) -> bool:
    text = content(present.commit, "params.yaml")
    return source.are_drawings(source.section_of(text or ""))
