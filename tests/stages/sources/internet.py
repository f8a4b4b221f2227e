"""A network of its own for tests of downloads: every address is one server on this machine."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpcore
import pytest

from safety import web
from stages.lib.sources import url as source_url
from stages.lib.sources.limits import Limits

PUBLIC, OTHER = "93.184.215.14", "2606:4700::1111"
Answer = Callable[[BaseHTTPRequestHandler], None]


class Internet:
    """Names and what they resolve to, one after the other; whatever is connected to is one server on this machine."""

    def __init__(self, answer: Answer) -> None:
        self.names: dict[str, list[list[str]]] = {}
        self.connected: list[str] = []
        self.let_in: list[str | None] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_GET(handler) -> None:  # noqa: N805
                self.let_in.append(handler.headers.get("Authorization"))
                answer(handler)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def resolve(self, host: str, port: int, *_: object, **more: object) -> list[tuple]:
        found = self.names.get(host, [[host]])
        addresses = found.pop(0) if len(found) > 1 else found[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


@contextmanager
def internet(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> Iterator[Internet]:
    made = Internet(answer)
    connect = httpcore.SyncBackend.connect_tcp

    def connected(self: object, host: str, port: int, *more: object, **named: object) -> httpcore.NetworkStream:
        made.connected.append(host)
        return connect(self, "127.0.0.1", made.server.server_port, *more, **named)

    with monkeypatch.context() as patch, made.server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.delenv(name, raising=False)
        patch.setattr(web.socket, "getaddrinfo", made.resolve)
        patch.setattr(httpcore.SyncBackend, "connect_tcp", connected)
        patch.setattr(source_url, "FIRST_WAIT", 0.0)
        thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield made
        finally:
            made.server.shutdown()
            thread.join()


def leads(*locations: str) -> Answer:
    """Answers that lead to each of these in turn, then the file."""
    waiting = list(locations)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if waiting:
            handler.send_response(302)
            handler.send_header("Location", waiting.pop(0))
            handler.end_headers()
        else:
            handler.send_response(200)
            handler.send_header("Content-Length", "4")
            handler.end_headers()
            handler.wfile.write(b"file")

    return answer


def fetch(url: str, limits: Limits = Limits(10**9, 3600)) -> bytes:  # noqa: B008
    return source_url.fetch(url, None, limits).read_bytes()
