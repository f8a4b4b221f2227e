"""How a retraining ends, now or where an earlier one could not: its model promoted, its run pushed, people told."""

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.registry import decisions, gto, publish, saved_runs, tag_dates
from flows.registry.decisions import HELD, PROMOTED, REJECTED, UNDECIDED
from flows.registry.saved_runs import Workspace
from flows.retraining.tell import owed, paid, tell
from flows.run import left_out

NOT_PUSHED = "NotPushed"  # the state of a run whose results nobody else has yet
_TOLD = (PROMOTED, REJECTED, UNDECIDED, HELD)


def finish(workspace: Workspace) -> str | None:
    """Promote what the last run decided to promote, and push; also what an earlier run did not get to.

    Returns:
        Why something could not be pushed yet, if so.
    """
    last = saved_runs.latest(workspace)
    # Who may push the branch of runs writes there what he likes: only what was decided here is carried out.
    decided = last is not None and last.record.get("decision") == PROMOTED and decisions.made_here(last.commit)
    if last and decided and decisions.is_open(last):
        # Somebody may have put another model into use since: what was decided does not hold beside that one.
        _promote_instead(last)
    if last is None or (publish.is_published(workspace) and not publish.has_untold_tags(last.name)):
        return None
    try:
        publish.publish(workspace)
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


def tell_owed(workspace: Workspace) -> None:
    """Tell what a run decided that was killed before it could; what is open or waits, this one says anew."""
    last = saved_runs.latest(workspace)
    record = last.record if last else {}
    is_decided = record.get("id") == owed() and record.get("decision") in (PROMOTED, REJECTED)
    if last and is_decided and not decisions.is_open(last):
        tell_outcome(last, workspace.branch, None)
    paid()


def tell_outcome(version: saved_runs.Version, branch: str, failure: str | None) -> State:
    """Tell what a run came to, where somebody waits for it; the state that the flow ends in.

    Args:
        failure: why something could not be pushed yet.
    """
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
        if record["decision"] in _TOLD or left_out.set_aside():
            tell(record["decision"], f"{branch}: {text}", branch=branch, run=version.name)
    if failure:
        tell("not_pushed", f"{branch}: {text}", branch=branch, run=version.name)
        # Nobody else has it: whatever was decided, this is not done.
        return Failed(name=NOT_PUSHED, message=text)
    return Completed(name=name, message=text)
