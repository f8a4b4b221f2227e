"""A stage whose outputs are what their checksums say."""

from collections.abc import Mapping

from flows.execution.process import Stop, run_stage
from flows.execution.process_output import LineTaker, Outcome, StageResult
from flows.project.cache import drop_damaged


def run_whole(
    name: str, take_line: LineTaker, stop: Stop, pull: bool = False, environment: Mapping[str, str] | None = None
) -> StageResult:
    """Run one stage as `run_stage` does; what DVC restores is what its checksum says, or it is made again."""
    result = run_stage(name, take_line, stop, pull, environment)
    if result.outcome is Outcome.RESTORED and (damaged := drop_damaged([name])):
        take_line(f"damaged in DVC's cache, made again: {', '.join(damaged)}")
        result = run_stage(name, take_line, stop, environment=environment)
    return result
