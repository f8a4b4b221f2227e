"""Prefect's own server, for a run where none is configured: it starts and ends with the run."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import httpx
import psutil
from prefect.client.orchestration import get_client
from prefect.context import refresh_global_settings_context
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL

from flows.errors import FlowError
from flows.execution.own_server import start_own
from flows.execution.prefect_errors import quiet, require_answer, server_errors
from flows.execution.signals import deaf_to_terminal
from flows.project.workspace import MARK, is_counted_here

_STARTER = "SMALLSET_SERVER_OF"  # variable of such a server: the process that has started it
_PASSWORD = f"run:{secrets.token_urlsafe(32)}"  # of the server that this process starts
_TIMEOUT = 30.0  # seconds


def start_server() -> None:
    """Start Prefect's server, where none is configured, deaf to Ctrl-C: it stays to take the flow's last states.

    Who reaches it runs code as this user, and every web page in a browser on this machine does: it has a password that
    this process alone knows. It belongs to this process and to no workspace, whose next run may begin before this one
    has told it everything.
    """
    quiet()
    _end_lost()
    if has_server():
        require_answer()
        return
    with deaf_to_terminal(), server_errors("see why with `prefect server start`"), _guarded():
        # All threads of Prefect's use these settings, those of its log and its events too.
        refresh_global_settings_context()
        start_own()
        with get_client(sync_client=True):
            pass


@contextmanager
def _guarded() -> Iterator[None]:
    """Have the server that the block starts ask for the password, and this process give it; no stage learns it."""
    wanted: dict[str, str | None] = {
        "PREFECT_SERVER_API_AUTH_STRING": _PASSWORD,
        "PREFECT_API_AUTH_STRING": _PASSWORD,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "http://127.0.0.1",
        _STARTER: str(os.getpid()),
        MARK: None,
    }
    before = {name: os.environ.get(name) for name in wanted}
    _set(wanted)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def has_server() -> bool:
    """Whether one is configured, which outlives the run."""
    return bool(PREFECT_API_URL.value())


def require_server() -> None:
    """Raise FlowError where none is configured: one that starts with the run is reached from this machine only."""
    if not has_server():
        raise FlowError(
            "workers need a Prefect server that all of them reach, with a password: docs/scaling.md says how it is "
            "started; then `prefect config set PREFECT_API_URL=http://SERVER:4200/api`"
        )
    quiet()
    require_answer()


def require_password() -> None:
    """Raise FlowError where the configured server lets in everybody, or not this user.

    Whoever may ask it for runs has code run by those who carry them out.
    """
    address = PREFECT_API_URL.value()
    with suppress(httpx.HTTPError):
        if httpx.post(f"{address}/flows/count", json={}, timeout=_TIMEOUT).is_success:
            raise FlowError(
                f"PREFECT_API_URL: {address} asks for no password: every web page that is open where it is reached "
                "could have code run here; start it with PREFECT_SERVER_API_AUTH_STRING, as docs/retraining.md says"
            )
    try:
        with get_client(sync_client=True) as client:
            client.read_flows(limit=1)
    except PrefectHTTPStatusError as error:
        raise FlowError(
            f"PREFECT_API_AUTH_STRING: expected the password of {address}: it answers {error.response.status_code}"
        ) from None


def _end_lost() -> None:
    """End the servers of runs that were killed: nobody else would, ever."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            starter = process.environ().get(_STARTER)
            if starter and starter != str(process.ppid()) and is_counted_here(process):
                process.kill()
