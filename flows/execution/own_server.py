"""The server that Prefect starts for one run: where it ends before the run does, that is noticed at once."""

import os
import subprocess
import threading
import time
from typing import Any

from prefect.context import refresh_global_settings_context
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES

from flows.execution.prefect_errors import KEPT, ServerError
from flows.execution.watching import watcher

_LOOK = 0.5  # seconds between two looks at whether it is there
_STARTS_AGAIN = 3  # exit code with which Prefect starts it once more, at another port, without end
_MOST_STARTS = 2  # a database that is damaged, or a disk that is full, is so at every port
_lost: list[ServerError] = []


def start_own() -> None:
    """Start it, unless this process has, and wait until it answers.

    Prefect asks one that has ended for its health until its time is over, and then tries each of its requests again for
    a minute. Its client starts none where this one is at work.

    Raises:
        ServerError: it has ended while it started, or does so each time.
    """
    # Takes a second to import, and nobody else needs it.
    from prefect.server.api.server import SubprocessASGIServer

    server = SubprocessASGIServer()
    if server.running:
        return
    _lost.clear()
    errors: list[BaseException] = []

    def start() -> None:
        try:
            server.start()
        except BaseException as error:
            errors.append(error)

    starting = threading.Thread(target=start, name="start of the server", daemon=True)
    starting.start()
    _wait(server, starting)
    if errors:
        raise errors[0]
    threading.Thread(
        target=_watch, args=(server, server.server_process), name="watch over the server", daemon=True
    ).start()


def _wait(server: Any, starting: threading.Thread) -> None:
    """Wait for the end of the start; raise ServerError where there is nothing to wait for."""
    started: list[subprocess.Popen[bytes]] = []
    while starting.is_alive():
        starting.join(_LOOK)
        if (process := server.server_process) is None:
            continue
        if process not in started:
            started.append(process)
        code = process.poll()
        if code not in (None, _STARTS_AGAIN):
            raise _take_end(_early(code))
        if len(started) > _MOST_STARTS:
            process.kill()
            how = f"ended with {_STARTS_AGAIN} each time it was started"
            raise _take_end(how, "see why with `prefect server start`")


def lost() -> ServerError | None:
    """What to say of a server that has ended before its run; None where it is at work, or is none of this process."""
    return _lost[0] if _lost else None


def _watch(server: Any, process: "subprocess.Popen[bytes]") -> None:
    while (code := process.poll()) is None:
        time.sleep(_LOOK)
    # At its end this process ends its server itself.
    if threading.main_thread().is_alive() and server.server_process is process:
        _take_end(_early(code))


def _early(code: int) -> str:
    how = f"was killed (signal {-code})" if code < 0 else f"ended with {code}"
    return f"{how} before the run was over"


def _take_end(how: str, hint: str = KEPT) -> ServerError:
    """Have Prefect's client try nothing again, which would take minutes, and say what is the matter."""
    _lost.append(ServerError(f"Prefect server at 127.0.0.1: it {how}: {hint}"))
    watcher().noted(f"Prefect's own server {how}: what is at work goes on to its end, and nothing else begins")
    os.environ[PREFECT_CLIENT_MAX_RETRIES.name] = "0"
    refresh_global_settings_context()
    return _lost[0]
