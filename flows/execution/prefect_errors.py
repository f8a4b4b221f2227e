"""A server of Prefect that is not there, is none, or lets nobody in: one line instead of its client's tracebacks."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import walk_tb
from typing import Any

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import (
    PREFECT_API_REQUEST_TIMEOUT,
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    temporary_settings,
)

from flows.errors import FlowError
from flows.exit_codes import ExitCode
from flows.faults import chain

_HERE = ("127.0.0.1", "localhost")  # of a server that starts with a run
KEPT = "what has finished is kept, run again to go on"
_PATIENCE = {PREFECT_API_REQUEST_TIMEOUT: 15.0, PREFECT_CLIENT_MAX_RETRIES: 1}


class ServerError(FlowError):
    """Prefect's server does not do what one does."""

    code = ExitCode.SERVER


def require_answer() -> None:
    """Raise ServerError where the configured server is not there, is none, or lets this user not in."""
    hint = "expected a Prefect server there"
    with server_errors(hint), temporary_settings(_PATIENCE), get_client(sync_client=True) as client:
        client.raise_for_api_version_mismatch()
        client.read_flows(limit=1)


@contextmanager
def server_errors(hint: str = KEPT) -> Iterator[None]:
    """Turn what Prefect's client raises of its server into one line.

    Args:
        hint: what to do.

    Raises:
        ServerError: instead of what the client raised.
    """
    try:
        yield
    except Exception as error:
        if text := described(error, hint):
            raise ServerError(text) from None
        raise


def described(error: BaseException, hint: str = KEPT) -> str | None:
    """What an exception says of Prefect's server and what to do, in one line; None if it is of something else."""
    if isinstance(error, FlowError) or not (reason := reason_of(error)):
        return None
    return f"Prefect server at {PREFECT_API_URL.value() or '127.0.0.1'}: {reason}: {hint}"


def reason_of(error: BaseException) -> str | None:
    """What an exception says of Prefect's server, in some words; None if it is of something else."""
    found = chain(error)
    return next((reason for one in found if (reason := _of_answer(one))), None) or next(
        (reason for one in found if (reason := _of_client(one))), None
    )


def _of_answer(error: BaseException) -> str | None:
    """What says most: what the server answered, or that it did not."""
    if isinstance(error, PrefectHTTPStatusError):
        return _of_status(error.response.status_code)
    if isinstance(error, httpx.TransportError) and _is_of_server(error):
        return f"no answer ({error or type(error).__name__})"
    # No JSON, no version, no field that is expected.
    if isinstance(error, ValueError) and _comes_from_client(error):
        return "it answers, but not as one of Prefect"
    return None


def _of_client(error: BaseException) -> str | None:
    """What Prefect's client makes of it."""
    text = str(error).partition("\n")[0]
    if not isinstance(error, RuntimeError):
        return None
    if "incompatible versions" in text:
        return text.removesuffix(".")
    if text.startswith("Timed out while attempting to connect to ephemeral"):
        return "it did not start in time"
    if text.startswith(("Failed to reach API", "Unable to find an available port")):
        return "it does not answer as one of Prefect"
    return None


def _comes_from_client(error: BaseException) -> bool:
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    return any("/prefect/client/" in Path(frame.f_code.co_filename).as_posix() for frame in frames)


def _of_status(code: int) -> str:
    if code in (401, 403):
        return f"it answers {code}: PREFECT_API_AUTH_STRING has to be its password"
    return f"it answers {code}"


def _is_of_server(error: httpx.TransportError) -> bool:
    try:
        url = error.request.url
    except RuntimeError:
        return True
    address = PREFECT_API_URL.value()
    return url.host in _HERE if address is None else (url.host, url.port) == _place(address)


def _place(address: str) -> tuple[str, int | None]:
    url = httpx.URL(address)
    return url.host, url.port


class _OneLine(logging.Filter):
    """Takes tracebacks away that say no more than that the server is gone, and what Prefect's own threads say of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass that says something new."""
        error = record.exc_info[1] if record.exc_info else None
        if error and (reason := reason_of(error)):
            record.msg, record.args = f"Prefect server: {reason}", ()
            record.exc_info = record.exc_text = None
        return not record.getMessage().startswith(("Service 'EventsWorker' failed", "Unable to connect to 'ws"))


def quiet() -> None:
    """Have Prefect say in one line that its server is gone; again it does nothing."""
    # Else its threads write to the terminal, each time anew, that they could not send a line of a log.
    logging.raiseExceptions = False
    one_line: Any = _OneLine()
    for name in (
        *("prefect", "prefect.flow_runs", "prefect.task_runs", "prefect.runner", "prefect.engine"),
        *("prefect.events.clients", "prefect._internal.concurrency", "prefect.client"),
    ):
        logger = logging.getLogger(name)
        if not any(isinstance(known, _OneLine) for known in logger.filters):
            logger.addFilter(one_line)
