"""`smallset schedule`: retraining on a schedule, by a Prefect server that runs elsewhere or beside it."""

import logging
import os
import re
import socket
import sys
import time
from pathlib import Path
from typing import Any, cast

import httpx
from prefect.client.orchestration import get_client
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.schedules import Schedule
from prefect.settings import PREFECT_API_URL
from prefect.utilities.annotations import freeze

from flows.errors import FlowError
from flows.execution.prefect_errors import quiet, require_answer, server_errors
from flows.execution.server import require_password
from flows.project.git_names import check_branch
from flows.retraining import pins
from flows.retraining.checkout_places import address_of
from flows.retraining.hours import describe
from flows.retraining.retrain import retrain
from flows.retraining.runner import serve_until_signal
from safety.text import visible

_WAIT = 10.0  # seconds between two looks at whether the server is back
_OF = "of "  # begins the tag that says whose deployment it is
_GAVE_UP = "Service exceeded error threshold."


def serve(repository: str, branch: str, timing: Schedule, parameters: dict[str, Any], name: str | None = None) -> None:
    """Register the deployment of a repository and branch and run it whenever the server says; until interrupted.

    A run that comes due while another is at work in the checkout is skipped: the next one finds the same data.

    Args:
        timing: as `flows.retraining.hours` has read it.
        parameters: of `flows.retraining.retrain`.
        name: of the deployment; else that of repository and branch.

    Raises:
        FlowError: no server is configured, it does not answer or asks for no password, or the name is another's.
    """
    if not PREFECT_API_URL.value():
        raise FlowError(
            "a schedule needs a Prefect server with a password: docs/retraining.md says how it is started; then "
            "`prefect config set PREFECT_API_URL=http://127.0.0.1:4200/api`"
        )
    quiet()
    made = deployment(repository, branch, timing, parameters, name)
    require_answer()
    require_password()
    _refuse_anothers(made)
    print(visible(f"{made.flow_name}/{made.name}: {describe(timing)}"), flush=True)
    pins.pin(made.parameters)
    try:
        number = serve_until_signal(made)
    except Exception as error:
        if not _is_lost(error):
            raise
        logging.getLogger("prefect.runner").warning("the server is gone: serving again as soon as it is back")
        while _server_problem() is not None:
            time.sleep(_WAIT)
        # Anew: of what Prefect has given up, threads are left that nothing ends.
        os.execv(sys.executable, sys.orig_argv)
    else:
        if number:
            sys.exit(128 + number)


def deployment(
    repository: str, branch: str, timing: Schedule, parameters: dict[str, Any], name: str | None = None
) -> RunnerDeployment:
    """Compose the deployment: its name, its schedule and its parameters.

    It has no concurrency limit of Prefect's: a server that was restarted knows that a slot is taken, but not by whom,
    and a run that was killed meanwhile would stop the schedule for good. The checkout itself admits one run at a time.

    Raises:
        FlowError: the schedule is none, or repository or branch is no name of one.
    """
    given = {one: value for one, value in parameters.items() if value is not None}
    asked = {"repository": address_of(repository), "branch": check_branch(branch)}
    places = dict.fromkeys(pins.VARIABLES) | given | asked
    # Frozen: the server refuses runs at other places, as `flows.retraining.pins` does where they would run.
    pinned = {one: freeze(places[one]) for one in pins.VARIABLES}
    # Prefect's own type leaves open whether it is to be awaited; outside of an event loop it is not.
    made = retrain.to_deployment(
        name=name or name_of(repository, branch),
        schedule=timing,
        parameters=given | pinned,
        description="Retrain on what the branch and its source of images have now; promote what is not worse.",
        tags=["smallset", f"{_OF}{_project(repository, branch)}"],
    )
    return cast("RunnerDeployment", made)


def name_of(repository: str, branch: str) -> str:
    """The name of a deployment: that of the repository, and the branch; two projects of one server have two."""
    stem = Path(address_of(repository).rstrip("/")).name.rpartition(":")[2].removesuffix(".git") or "repository"
    # Prefect allows none of these in a name.
    return re.sub(r"[^\w.-]+", "-", f"{stem}-{branch}")


def _project(repository: str, branch: str) -> str:
    """What tells projects apart: a folder is another one on another machine."""
    address = address_of(repository)
    return f"{f'{socket.gethostname()}:{address}' if Path(address).is_absolute() else address} {branch}"


def _refuse_anothers(made: RunnerDeployment) -> None:
    """Raise FlowError where the server has a deployment of this name that is of another project."""
    own = next(tag for tag in made.tags if tag.startswith(_OF))
    full = f"{made.flow_name}/{made.name}"
    with server_errors(), get_client(sync_client=True) as client:
        try:
            found = client.read_deployment_by_name(full)
        except ObjectNotFound:
            return
    others = [tag for tag in found.tags if tag.startswith(_OF) and tag != own]
    if others and own not in found.tags:
        raise FlowError(
            f"{full}: this server has it for {others[0].removeprefix(_OF)}: give this one another --name, or, where "
            f"nobody serves that any more, `prefect deployment delete {full}`"
        )


def _server_problem() -> Exception | None:
    with get_client(sync_client=True) as client:
        return client.api_healthcheck()


def _is_lost(error: BaseException) -> bool:
    """Whether it means that the server is out of reach: Prefect's loops give up some minutes after it has gone."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_lost, error.exceptions))
    return isinstance(error, httpx.TransportError) or str(error) == _GAVE_UP
