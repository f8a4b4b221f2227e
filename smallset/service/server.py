"""The application behind a socket, until a signal ends it."""

import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn

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
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines())
    log = logging.getLogger("smallset.service")
    log.handlers, log.propagate = [lines], False
    log.setLevel(logging.INFO)
    with _listening(settings.host, settings.port) as listening:
        address = f"[{settings.host}]" if ":" in settings.host else settings.host
        about = f"{visible(current.model.name)}, version {current.model.version}"
        place = f"http://{visible(address)}:{listening.getsockname()[1]}"
        print(f"{place}  {about}; golden examples: {current.model.difference:.1e}", flush=True)
        config = uvicorn.Config(
            make(current, settings),
            access_log=False,
            log_level="error",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_TO_END,
            ws="none",
        )
        server = uvicorn.Server(config)
        server.run(sockets=[listening])
    return 0 if server.started else 1


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, number)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            # From here on, before the application has started, whoever calls waits rather than being sent away.
            listening.listen(_MOST_CONNECTIONS)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise UserError(f"--host {host} --port {port}: cannot be listened on: {error.strerror or error}") from None
    return listening
