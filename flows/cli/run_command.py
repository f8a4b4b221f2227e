"""`smallset run`: the flow in this process, and what it came to."""

from flows.cli import tables
from flows.errors import FlowError
from flows.execution.process_output import Outcome, done
from flows.registry import run_record, run_report, saved_runs
from flows.run.pipeline import run_pipeline
from flows.run.results import RUN_REPORT, headline_and_verdict, read_results
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
    # Before the work: what cannot be saved shall not be found out after it.
    workspace = saved_runs.Workspace.here() if save else None
    results = run_pipeline(width, workers)
    tables.show_results(results)
    found, older = read_results(done(results))
    tables.show_models(found)
    if older:
        print("results of earlier runs are still here and not shown; `smallset status` says whose they are")
    if found.report:
        if found.report == RUN_REPORT:
            run_report.write()
        print(visible(f"report: {found.report.resolve()}"))
    if workspace:
        saved = run_record.save(run_record.compose(workspace, results), workspace)
        print(visible(f"saved: {saved.name} on branch {workspace.runs}, commit {saved.commit[:8]}"))
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    if failed:
        more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
        raise FlowError(f"{failed[0].name}: {failed[0].reason}{more}")
    if line := headline_and_verdict(found.summary):
        print(line)
