"""Retraining with nobody watching: a clean checkout, the pipeline, the gate, a version, the remotes."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.errors import FlowError
from flows.execution.prefect_errors import ServerError, described, server_errors
from flows.execution.server import start_server
from flows.exit_codes import ExitCode
from flows.faults import fault_of
from flows.project import cache, profiles, source
from flows.project.git import content
from flows.project.parameters import check_parameters
from flows.registry import decisions, gto, publish, run_record, saved_runs, tag_dates
from flows.registry.decisions import HELD, PROMOTED, REJECTED, UNDECIDED
from flows.retraining import gate, hours, known_images, last_run, pins
from flows.retraining.checkout import UNFINISHED, Busy, address_of, checked_out, default_folder, made_of
from flows.retraining.tell import owe, owed, paid, said, tell
from flows.run import left_out
from flows.run.pipeline import run_flow

SKIPPED = "Skipped"  # the state of a run that found another one at work
NOT_PUSHED = "NotPushed"  # of one whose results nobody else has yet
_TOLD = (PROMOTED, REJECTED, UNDECIDED, HELD)
_CODES = dict.fromkeys(("Promoted", "Unchanged", "UpToDate"), ExitCode.DONE) | {
    "Rejected": ExitCode.REJECTED,
    "Undecided": ExitCode.ASKS,
    "Held": ExitCode.ASKS,
    NOT_PUSHED: ExitCode.NOT_PUSHED,
    SKIPPED: ExitCode.SKIPPED,
}
# Images that are dealt out anew as the data grows would move from test to training.
_STABLE_ORDER = {"split.order": "hash"}
# A few bad things do not stop the rest; they are told.
_REST_GOES_ON = {"split.strays": "set_aside"}


@flow(name="smallset-retrain", persist_result=False)
def retrain(
    repository: str,
    branch: str = "main",
    checkout: str | None = None,
    profile: str | None = None,
    overrides: dict[str, Any] | None = None,
    width: int | None = None,
    workers: str | None = None,
) -> State:
    """Run what changed on a branch or in its source of images, save the run, and promote its model if it may be.

    Args:
        repository: anything git clones.
        checkout: folder of the clean checkout, kept between runs.
        profile: of profiles/, written over params.yaml.
        overrides: single parameters by their keys, such as `scratch.epochs`.
        width: stages that may run side by side.
        workers: address of a Dask scheduler, as of `flows.run.pipeline`.
    """
    folder = Path(checkout) if checkout else default_folder(repository, branch)
    try:
        pins.refuse_others({"repository": repository, "branch": branch, "checkout": checkout, "workers": workers})
        with checked_out(repository, branch, folder.resolve()) as killed:
            _tell_what_nobody_could(branch, killed)
            state = _in_checkout(branch, profile, overrides or {}, width, workers)
            last_run.keep(state.name or "", state.message or "", state.is_completed())
            return state
    except Busy as busy:
        return Completed(name=SKIPPED, message=str(busy))
    except Exception as error:
        # What the system refuses, such as a full disk, it refuses somewhere.
        where = f"{folder}: " if isinstance(error, OSError) and not error.filename else ""
        known = fault_of(error) or described(error)
        _keep_end("Failed", f"{where}{known or error}", repository, folder)
        tell("failed", f"{branch}: retraining failed: {where}{known or error}", branch=branch)
        if not known:
            raise
        return Failed(message=f"{where}{known}")
    except BaseException:
        _keep_end("Ended", "ended from outside", repository, folder)
        tell("ended", f"{branch}: retraining was ended from outside; the next run goes on where it was", branch=branch)
        raise


def _keep_end(state: str, message: str, repository: str, folder: Path) -> None:
    """Keep how a run ended that came to nothing, in its checkout; what ended it may forbid even that."""
    with suppress(FlowError, OSError):
        if made_of(folder.resolve()) == address_of(repository):
            last_run.keep(state, message, False, folder)


def _tell_what_nobody_could(branch: str, killed: str | None) -> None:
    """Tell that a run was killed, or came too late: at that time nobody was there to tell it."""
    if killed:
        text = f"{branch}: a run was killed, or its machine went down ({killed}); this one goes on where it was"
        tell("crashed", text, branch=branch)
    if (due := hours.overdue()) is not None:
        text = f"{branch}: a run that was due {due:%Y-%m-%d %H:%M %Z} begins only now: nobody served the schedule"
        tell("overdue", text, branch=branch)


def _in_checkout(
    branch: str, profile: str | None, overrides: dict[str, Any], width: int | None, workers: str | None
) -> State:
    if UNFINISHED.exists() or not publish.is_published(branch):
        # The power may have failed: nothing half-written is to be pushed, or built upon.
        cache.drop_damaged()
    _finish(branch)
    _tell_owed(branch)
    UNFINISHED.parent.mkdir(exist_ok=True)
    UNFINISHED.touch()
    if profile:
        profiles.use(profile)
    profiles.override(overrides)
    if "split.order" not in overrides and profiles.value_of("split.order") == "shuffle":
        profiles.override(_STABLE_ORDER)
    if "split.strays" not in overrides and profiles.value_of("split.strays") == "error":
        profiles.override(_REST_GOES_ON)
    check_parameters()
    source.look()
    cache.fetch_images()
    if failure := cache.fetch_missing():
        get_run_logger().warning("what earlier runs made could not all be fetched: %s", failure)
    results = run_flow(width, workers)
    last = saved_runs.latest(branch)
    record = run_record.compose(branch, results)
    is_open = last is not None and decisions.is_open(last)
    if record["outcome"] == "trained" or (record["outcome"] == "up to date" and is_open):
        record |= _decision(record, branch)
    elif last is not None and record["outcome"] == "up to date" and decisions.waits(last):
        # Until a person has decided, every run says so.
        record |= {name: last.record[name] for name in decisions.WAITING if name in last.record}
    elif is_open:
        # A failure in between: what was not decided before it is still to be decided after it.
        record["decision"] = UNDECIDED
    if last is not None and decisions.is_nothing_new(record, last):
        version = saved_runs.Version(last.name, last.commit, record)
    else:
        owe(record["id"])
        version = run_record.save(record, branch)
        decisions.remember(version.commit)
    UNFINISHED.unlink()
    failure = _finish(branch)
    state = _tell_outcome(version, branch, failure)
    paid()
    return state


def _decision(record: dict[str, Any], branch: str) -> dict[str, Any]:
    used = gto.promotions()
    present = used[0] if used else None
    found = _of_the_gate(record, branch, used)
    if present and present.is_held and found["decision"] == PROMOTED:
        why = f"{present.version} is held by {present.who} ({present.message}): `smallset release` lets the gate decide"
        found |= {"decision": HELD, "reason": f"{why}. It says: {found['reason']}"}
    return found


def _of_the_gate(record: dict[str, Any], branch: str, past: Sequence[gto.Promotion]) -> dict[str, Any]:
    """What the gate decides, were no version held by a person; fields of the record."""
    present = past[0] if past else None
    beside = {"instead_of": decisions.run_of(present)}
    used = (saved_runs.record_of(present.commit) or {}) if present else {}
    if present and used.get("classifier") == record["classifier"]:
        reason = f"its classifier is that of {present.version}, which is in use{left_out.told()}"
        return beside | {"decision": "unchanged", "reason": reason}
    if present and source.are_drawings(source.read_download()) and not _learnt_drawings(present):
        reason = f"it has learnt drawings, and {present.version} in use has not; download.source says what it learns"
        return beside | {"decision": REJECTED, "reason": reason}
    for version, back in gto.withdrawn(past).items():
        if _classifier_of(version, past) == record["classifier"]:
            reason = f"its classifier is that of {version}, which {back.who} took out of use: {back.message}"
            return beside | {"decision": REJECTED, "reason": reason}
    try:
        tested = known_images.fingerprint(known_images.predictions_of(record["summary"]["recommended"]))
        decision = gate.decide(present, record["summary"], gate.read_gate())
    except FlowError as error:
        # The run is kept; the next one decides.
        return beside | {"decision": UNDECIDED, "reason": str(error)}
    times = known_images.times_decided(branch, tested)
    again = f" Its test images have decided {times:,} {'time' if times == 1 else 'times'} before." if times else ""
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


def _finish(branch: str) -> str | None:
    """Promote what the last run decided to promote, and push; also what an earlier run did not get to.

    Returns:
        Why something could not be pushed yet, if so.
    """
    last = saved_runs.latest(branch)
    # Who may push the branch of runs writes there what he likes: only what was decided here is carried out.
    decided = last is not None and last.record.get("decision") == PROMOTED and decisions.made_here(last.commit)
    if last and decided and decisions.is_open(last):
        # Somebody may have put another model into use since: what was decided does not hold beside that one.
        _promote_instead(last)
    if last is None or (publish.is_published(branch) and not publish.has_untold_tags(last.name)):
        return None
    try:
        publish.publish(branch)
    except publish.NotPublished as error:
        get_run_logger().warning(str(error))
        return str(error)
    return None


def _promote_instead(last: saved_runs.Version) -> None:
    present = gto.in_use()
    if last.record.get("instead_of") == decisions.run_of(present) and not (present and present.is_held):
        promoted = gto.promote(last.commit, last.record["reason"])
        if wrong := tag_dates.ahead(promoted.at):
            get_run_logger().warning("%s: %s", promoted.tag, wrong)


def _tell_owed(branch: str) -> None:
    """Tell what a run decided that was killed before it could; what is open or waits, this one says anew."""
    last = saved_runs.latest(branch)
    record = last.record if last else {}
    is_decided = record.get("id") == owed() and record.get("decision") in (PROMOTED, REJECTED)
    if last and is_decided and not decisions.is_open(last):
        _tell_outcome(last, branch, None)
    paid()


def _tell_outcome(version: saved_runs.Version, branch: str, failure: str | None) -> State:
    record = version.record
    later = f"; {failure}" if failure else ""
    if record["outcome"] == "failed":
        tell("failed", f"{branch}: {record['reason']}{later}", branch=branch, run=version.name)
        return Failed(message=record["reason"] + later)
    if "decision" not in record:
        name, text = "UpToDate", f"{version.name}: nothing has changed{later}"
    else:
        name = record["decision"].capitalize()
        text = f"{version.name}: {record['summary']['recommended']} {record['decision']}: {record['reason']}{later}"
        if record["decision"] in _TOLD or left_out.counted():
            tell(record["decision"], f"{branch}: {text}", branch=branch, run=version.name)
    if failure:
        tell("not_pushed", f"{branch}: {text}", branch=branch, run=version.name)
        # Nobody else has it: whatever was decided, this is not done.
        return Failed(name=NOT_PUSHED, message=text)
    return Completed(name=name, message=text)


def run_retrain(**parameters: Any) -> tuple[str, ExitCode]:
    """Run the flow in this process; what it came to, and how the command ends that asked for it.

    Raises:
        FlowError: it failed, or another run is at work in the checkout.
    """
    address_of(parameters["repository"])
    branch = parameters.get("branch", "main")
    try:
        start_server()
        with server_errors():
            state = retrain(**parameters, return_state=True)
    except ServerError as error:
        if not said & {"failed", "ended"}:
            tell("failed", f"{branch}: retraining failed: {error}", branch=branch)
        raise
    message, code = state.message or f"retraining ended as {state.name}", _CODES.get(state.name or "", ExitCode.FAILED)
    if code in (ExitCode.FAILED, ExitCode.NOT_PUSHED, ExitCode.SKIPPED):
        failed = FlowError(message)
        failed.code = code
        raise failed
    return message, code
