"""Prefect's own server, for a run where none is configured: it starts and ends with the run."""

import os
import signal
from contextlib import suppress

import psutil
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

from flows.errors import FlowError

_STARTER = "SMALLSET_SERVER_OF"  # variable of such a server: the process that has started it


def start_server() -> None:
    """Start Prefect's server, where none is configured, deaf to Ctrl-C: it stays to take the flow's last states."""
    _end_lost()
    deaf_to = {signal.SIGINT, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, deaf_to)
    os.environ[_STARTER] = str(os.getpid())
    try:
        with get_client(sync_client=True):
            pass
    finally:
        del os.environ[_STARTER]
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def has_server() -> bool:
    """Whether one is configured, which outlives the run."""
    return bool(PREFECT_API_URL.value())


def require_server() -> None:
    """Raise FlowError where none is configured: one that starts with the run is reached from this machine only."""
    if not has_server():
        raise FlowError(
            "workers need a Prefect server that all of them reach: `prefect server start --host 0.0.0.0`, "
            "then `prefect config set PREFECT_API_URL=http://THIS_HOST:4200/api`"
        )


def _end_lost() -> None:
    """End the servers of runs that were killed: nobody else would, ever."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            starter = process.environ().get(_STARTER)
            if starter and process.ppid() != int(starter):
                process.kill()
