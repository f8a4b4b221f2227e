"""`smallset serve`: retraining on a schedule, by a Prefect server that runs elsewhere or beside it."""

import logging
import os
import sys
import time
from datetime import timedelta
from typing import Any

import httpx
from prefect import serve as serve_deployments
from prefect.client.orchestration import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.settings import PREFECT_API_URL
from prefect.utilities.annotations import freeze

from flows.errors import FlowError
from flows.execution.server import require_password
from flows.retraining import pins
from flows.retraining.checkout import address_of
from flows.retraining.retrain import retrain

# One at work, and one that finds it at work and is skipped.
_AT_ONCE = 2
_WAIT = 10.0  # seconds between two looks at whether the server is back
_GAVE_UP = "Service exceeded error threshold."


def serve(repository: str, branch: str, cron: str | None, seconds: float | None, parameters: dict[str, Any]) -> None:
    """Register the deployment `smallset-retrain/<branch>` and run it whenever the server says; until interrupted.

    A run that comes due while another is at work in the checkout is skipped: the next one finds the same data.

    Raises:
        FlowError: no server is configured, it does not answer or asks for no password, or the schedule is none.
    """
    if not PREFECT_API_URL.value():
        raise FlowError(
            "a schedule needs a Prefect server with a password: docs/retraining.md says how it is started; then "
            "`prefect config set PREFECT_API_URL=http://127.0.0.1:4200/api`"
        )
    made = deployment(repository, branch, cron, seconds, parameters)
    if (problem := _server_problem()) is not None:
        raise FlowError(f"PREFECT_API_URL: expected a Prefect server at {PREFECT_API_URL.value()}: {problem}")
    require_password()
    pins.pin(made.parameters)
    try:
        # Not paused when this ends: what comes due until it is back is then made up for.
        serve_deployments(made, limit=_AT_ONCE, pause_on_shutdown=False)
    except Exception as error:
        if not _is_lost(error):
            raise
        logging.getLogger("prefect.runner").warning("the server is gone: serving again as soon as it is back")
        while _server_problem() is not None:
            time.sleep(_WAIT)
        # Anew: of what Prefect has given up, threads are left that nothing ends.
        os.execv(sys.executable, sys.orig_argv)


def deployment(
    repository: str, branch: str, cron: str | None, seconds: float | None, parameters: dict[str, Any]
) -> RunnerDeployment:
    """Compose the deployment: its schedule and its parameters.

    It has no concurrency limit of Prefect's: a server that was restarted knows that a slot is taken, but not by whom,
    and a run that was killed meanwhile would stop the schedule for good. The checkout itself admits one run at a time.

    Raises:
        FlowError: the schedule is none.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    places = dict.fromkeys(pins.VARIABLES) | given | {"repository": address_of(repository), "branch": branch}
    # Frozen: the server refuses runs at other places, as `flows.retraining.pins` does where they would run.
    pinned = {name: freeze(places[name]) for name in pins.VARIABLES}
    try:
        # Prefect's own type leaves open whether it is to be awaited; outside of an event loop it is not.
        made: Any = retrain.to_deployment(
            name=branch,
            cron=cron,
            interval=timedelta(seconds=seconds) if seconds else None,
            parameters=given | pinned,
            description="Retrain on what the branch and its source of pictures have now; promote what is not worse.",
            tags=["smallset"],
        )
        return made
    except ValueError:
        raise FlowError(f"--cron: expected minute, hour, day, month and weekday. Received: {cron!r}") from None


def _server_problem() -> Exception | None:
    with get_client(sync_client=True) as client:
        return client.api_healthcheck()


def _is_lost(error: BaseException) -> bool:
    """Whether it means that the server is out of reach: Prefect's loops give up some minutes after it has gone."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_lost, error.exceptions))
    return isinstance(error, httpx.TransportError) or str(error) == _GAVE_UP
