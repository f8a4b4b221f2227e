"""`smallset run`: the flow in this process, and what it came to."""

from flows import tables
from flows.errors import FlowError
from flows.pipeline import run_pipeline
from flows.process_output import Outcome
from flows.results import REPORT, read_models


def run_and_show(width: int) -> None:
    """Run the flow, show the outcome of every stage and the figures of every model.

    Raises:
        FlowError: a stage failed, or the run could not start.
    """
    results = run_pipeline(width)
    tables.show_results(results)
    tables.show_models(read_models())
    if REPORT.is_file():
        print(f"report: {REPORT.resolve()}")
    failed = [result for result in results if result.outcome is Outcome.FAILED]
    if failed:
        more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
        raise FlowError(f"{failed[0].name}: {failed[0].reason}{more}")
