"""The application behind a socket, until a signal ends it."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import uvicorn
from fastapi import FastAPI

from safety.text import visible
from smallset.errors import UserError
from smallset.service.app import make
from smallset.service.gate import JsonLines
from smallset.service.models import Current
from smallset.service.settings import Settings

_MOST_CONNECTIONS = 1024
_TO_END = 10  # seconds that requests have to be answered once the service is asked to end


def serve(find: Callable[[], Path], settings: Settings) -> int:
    """Load the bundle and answer requests until SIGTERM or SIGINT; then those that have begun are answered first.

    Args:
        find: gives the directory of the bundle, now and whenever it is looked for again.
        settings: of the service.

    Returns:
        The exit code.

    Raises:
        UserError: no bundle, a damaged one, or an address that cannot be listened on.
    """
    current = Current(find)
    with listening(settings.host, settings.port) as opened:
        host = settings.host.strip("[]")
        address = f"[{host}]" if ":" in host else host
        about = f"{visible(current.model.name)}, version {current.model.version}"
        place = f"http://{visible(address)}:{opened.getsockname()[1]}"
        print(f"{place}  {about}; golden examples: {current.model.difference:.1e}", flush=True)
        _log_to(sys.stderr)
        server = uvicorn.Server(configured(make(current, settings)))
        with _ended_by_closed_terminal(server):
            server.run(sockets=[opened])
    return 0 if server.started else 1


@contextmanager
def _ended_by_closed_terminal(server: uvicorn.Server) -> Iterator[None]:
    """SIGHUP, of which uvicorn knows nothing, ends a service as SIGTERM does, unless `nohup` has it ignored."""
    number = getattr(signal, "SIGHUP", None)
    if number is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(number)
    if before != signal.SIG_IGN:
        signal.signal(number, lambda *_: server.handle_exit(signal.SIGTERM, None))
    try:
        yield
    finally:
        signal.signal(number, before)


def _log_to(stream: TextIO) -> None:
    lines = logging.StreamHandler(stream)
    lines.setFormatter(JsonLines())
    log = logging.getLogger("smallset.service")
    log.handlers, log.propagate = [lines], False
    log.setLevel(logging.INFO)
    # What it warns of is in the answer, and a line of its own would be none of JSON.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


def configured(app: FastAPI) -> uvicorn.Config:
    """How uvicorn runs the application."""
    return uvicorn.Config(
        app,
        http="h11",  # and not httptools where that happens to be installed, which takes headers without end
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_TO_END,
        ws="none",
    )


def listening(host: str, port: int) -> socket.socket:
    """A socket at an address.

    Args:
        host: name or address, of IPv6 also in brackets.
        port: 0 takes a free one.

    Raises:
        UserError: there is no such address, or another program has it.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, kind, number)
        try:
            if os.name == "posix":  # elsewhere it lets a second service have the same port
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            # From here on, before the application has started, whoever calls waits rather than being sent away.
            opened.listen(_MOST_CONNECTIONS)
        except OSError:
            opened.close()
            raise
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise UserError(f"--host {host} --port {port}: cannot be listened on: {why or error}") from None
    return opened
