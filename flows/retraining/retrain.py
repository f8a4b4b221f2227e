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
from flows.execution.process_output import StageResult
from flows.execution.server import start_server
from flows.exit_codes import ExitCode
from flows.faults import fault_of
from flows.project import cache, profiles, source
from flows.project.parameters import check_parameters
from flows.registry import decisions, publish, run_record, saved_runs
from flows.registry.decisions import UNDECIDED
from flows.registry.saved_runs import Workspace
from flows.retraining import hours, last_run, pins
from flows.retraining.checkout import Busy, checked_out
from flows.retraining.checkout_places import UNFINISHED, address_of, default_folder, made_of
from flows.retraining.deciding import decide
from flows.retraining.ending import NOT_PUSHED, finish, tell_outcome, tell_owed
from flows.retraining.tell import owe, paid, said, tell
from flows.run.pipeline import run_flow

SKIPPED = "Skipped"  # the state of a run that found another one at work
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
            state = _in_checkout(Workspace(Path(), branch), profile, overrides or {}, width, workers)
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
    workspace: Workspace, profile: str | None, overrides: dict[str, Any], width: int | None, workers: str | None
) -> State:
    if UNFINISHED.exists() or not publish.is_published(workspace):
        # The power may have failed: nothing half-written is to be pushed, or built upon.
        cache.drop_damaged()
    finish(workspace)
    tell_owed(workspace)
    UNFINISHED.parent.mkdir(exist_ok=True)
    UNFINISHED.touch()
    _set_parameters(profile, overrides)
    source.look()
    cache.fetch_images()
    if failure := cache.fetch_missing():
        get_run_logger().warning("what earlier runs made could not all be fetched: %s", failure)
    version = _saved(workspace, run_flow(width, workers))
    UNFINISHED.unlink()
    failure = finish(workspace)
    state = tell_outcome(version, workspace.branch, failure)
    paid()
    return state


def _saved(workspace: Workspace, results: Sequence[StageResult]) -> saved_runs.Version:
    """The run that has just ended, decided upon and saved; the last one, where this one says nothing else."""
    last = saved_runs.latest(workspace)
    record = run_record.compose(workspace, results)
    is_open = last is not None and decisions.is_open(last)
    if record["outcome"] == "trained" or (record["outcome"] == "up to date" and is_open):
        record |= decide(record, workspace)
    elif last is not None and record["outcome"] == "up to date" and decisions.waits(last):
        # Until a person has decided, every run says so.
        record |= {name: last.record[name] for name in decisions.WAITING if name in last.record}
    elif is_open:
        # A failure in between: what was not decided before it is still to be decided after it.
        record["decision"] = UNDECIDED
    if last is not None and decisions.is_nothing_new(record, last):
        return saved_runs.Version(last.name, last.commit, record)
    owe(record["id"])
    version = run_record.save(record, workspace)
    decisions.remember(version.commit)
    return version


def _set_parameters(profile: str | None, overrides: dict[str, Any]) -> None:
    if profile:
        profiles.use(profile)
    profiles.override(overrides)
    if "split.order" not in overrides and profiles.value_of("split.order") == "shuffle":
        profiles.override(_STABLE_ORDER)
    if "split.strays" not in overrides and profiles.value_of("split.strays") == "error":
        profiles.override(_REST_GOES_ON)
    check_parameters()


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
