"""`smallset run`: the flow in this process, and what it came to."""

from flows import saved_run, tables, versions
from flows.errors import FlowError
from flows.pipeline import run_pipeline
from flows.process_output import Outcome
from flows.results import headline_and_verdict, read_models, read_summary, report_file


def run_and_show(width: int | None, save: bool, workers: str | None = None) -> None:
    """Run the flow, show the outcome of every stage and the figures of every model.

    Args:
        save: keep the run as a commit on the run branch of the branch that is checked out. width, workers: of
            `flows.pipeline`.

    Raises:
        FlowError: a stage failed, or the run could not start.
    """
    # Before the work: what cannot be saved shall not be found out after it.
    branch = versions.current_branch() if save else None
    results = run_pipeline(width, workers)
    tables.show_results(results)
    tables.show_models(read_models(), read_summary().get("headline", "accuracy"))
    if report := report_file():
        print(f"report: {report.resolve()}")
    if branch:
        saved = saved_run.save(saved_run.compose(branch, results), branch)
        print(f"saved: {saved.name} on branch {versions.branch_of(branch)}, commit {saved.commit[:8]}")
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    if failed:
        more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
        raise FlowError(f"{failed[0].name}: {failed[0].reason}{more}")
    # After a failure the headline would be that of an earlier run.
    if line := headline_and_verdict():
        print(line)
