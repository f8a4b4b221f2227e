"""`smallset serve`: retraining on a schedule, by a Prefect server that runs elsewhere or beside it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from prefect import serve as serve_deployments
from prefect.deployments.runner import RunnerDeployment
from prefect.settings import PREFECT_API_URL

from flows.errors import FlowError
from flows.retrain import retrain


def serve(repository: str, branch: str, cron: str | None, seconds: float | None, parameters: dict[str, Any]) -> None:
    """Register the deployment `smallset-retrain/<branch>` and run it whenever the server says; until interrupted.

    A run that comes due while another is at work is cancelled, not queued: the next one finds the same data.

    Raises:
        FlowError: no server is configured, or the schedule is none.
    """
    if not PREFECT_API_URL.value():
        raise FlowError(
            "a schedule needs a Prefect server: start one with `prefect server start`, and "
            "`prefect config set PREFECT_API_URL=http://127.0.0.1:4200/api`"
        )
    # Not paused when this ends: what comes due until it is back is then made up for, once.
    serve_deployments(deployment(repository, branch, cron, seconds, parameters), limit=2, pause_on_shutdown=False)


def deployment(
    repository: str, branch: str, cron: str | None, seconds: float | None, parameters: dict[str, Any]
) -> RunnerDeployment:
    """Compose the deployment: its schedule, its parameters, and that it never runs twice at once.

    Raises:
        FlowError: the schedule is none.
    """
    here = Path(repository)
    found = {"repository": str(here.resolve()) if here.exists() else repository, "branch": branch}
    try:
        # Prefect's own type leaves open whether it is to be awaited; outside of an event loop it is not.
        made: Any = retrain.to_deployment(
            name=branch,
            cron=cron,
            interval=timedelta(seconds=seconds) if seconds else None,
            parameters=found | {name: value for name, value in parameters.items() if value is not None},
            description="Retrain on what the branch and its source of pictures have now; promote what is not worse.",
            tags=["smallset"],
        )
        return made
    except ValueError as error:
        raise FlowError(
            f"--cron: expected minute, hour, day, month and weekday. Received: {cron!r} ({error})"
        ) from None
