"""`smallset run`: the flow in this process, and what it came to."""

import time
from collections.abc import Sequence

from flows.errors import FlowError
from flows.execution.process_output import Outcome, StageResult, done
from flows.terminal.shown import shown
from flows.terminal.tables import say
from flows.terminal.words import counted, duration
from safety.text import visible


def run_and_show(width: int | None, save: bool, workers: str | None = None) -> None:
    """Run the flow, show the outcome of every stage and the figures of every model.

    Args:
        save: keep the run as a commit on the run branch of the branch that is checked out.
        width: of `flows.run.pipeline`.
        workers: likewise.

    Raises:
        FlowError: a stage failed, or the run could not start.
    """
    started = time.monotonic()
    with shown():
        # Not before there is something to see: to import them takes seconds.
        from flows.cli import tables
        from flows.registry import run_record, saved_runs
        from flows.run.pipeline import run_pipeline
        from flows.run.results import headline_and_verdict, read_results

        # Before the work: what cannot be saved shall not be found out after it.
        workspace = saved_runs.Workspace.here() if save else None
        results = run_pipeline(width, workers)
    say(outcomes(results, time.monotonic() - started))
    found, older = read_results(done(results))
    tables.show_models(found)
    if older:
        print("results of earlier runs are still here and not shown; `smallset status` says whose they are")
    if found.report:
        print(visible(f"report: {found.report.resolve()}"))
    if workspace:
        saved = run_record.save(run_record.compose(workspace, results), workspace)
        print(visible(f"saved: {saved.name} on branch {workspace.runs}, commit {saved.commit[:8]}"))
    if failed := [result for result in results if result.outcome is Outcome.FAILED]:
        raise _failure(failed)
    if line := headline_and_verdict(found.summary):
        say(line)


def outcomes(results: Sequence[StageResult], seconds: float) -> str:
    """What became of the stages, and in how many seconds, in one line, with the names of those that were not run."""
    parts = []
    for outcome in (Outcome.RAN, Outcome.RESTORED, Outcome.UP_TO_DATE, Outcome.FAILED, Outcome.STOPPED):
        if number := sum(result.outcome is outcome for result in results):
            parts.append(f"{number} {outcome}")
    waiting = [result.name for result in results if result.outcome is Outcome.NOT_RUN]
    if waiting:
        parts.append(f"{len(waiting)} not run, since a stage before failed: {', '.join(waiting)}")
    return visible(f"{counted(len(results), 'stage')} in {duration(seconds)}: {', '.join(parts)}")


def _failure(failed: Sequence[StageResult]) -> FlowError:
    more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
    error = FlowError(f"{failed[0].name}: {failed[0].reason}{more}")
    error.hint = f"`smallset log {failed[0].name}` shows its whole output; `smallset run` goes on where it stopped"
    return error
