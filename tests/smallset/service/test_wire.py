"""What arrives over a real socket: each request is answered or ended, and none is taken for another one."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn

from benchmarks import service_attacks
from smallset.service.app import make
from smallset.service.models import Current
from smallset.service.server import configured, listening
from tests.smallset.service.conftest import SETTINGS, image

HOSTS = ("127.0.0.1", "::1")
POST = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"


@pytest.fixture(scope="module")
def server(bundle: Path) -> Iterator[uvicorn.Server]:
    """A service that listens on both loopback addresses."""
    settings = replace(SETTINGS, seconds=2)
    sockets = [listening(host, 0) for host in HOSTS]
    found = uvicorn.Server(configured(make(Current(lambda: bundle), settings)))
    thread = threading.Thread(target=found.run, args=(sockets,))
    thread.start()
    found.addresses = dict(zip(HOSTS, (one.getsockname() for one in sockets), strict=True))
    yield found
    found.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


def statuses(server: uvicorn.Server, content: bytes, host: str = "127.0.0.1") -> list[int]:
    """Of all answers to some bytes, until the service ends the connection or says nothing more for a moment."""
    found = b""
    with socket.create_connection(server.addresses[host][:2], timeout=10) as opened, suppress(TimeoutError):
        opened.sendall(content)
        while piece := opened.recv(1 << 16):
            found += piece
            opened.settimeout(0.2)
    return [int(part.split(b" ", 1)[0]) for part in found.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("host", HOSTS)
def test_a_service_answers_on_both_kinds_of_loopback(server: uvicorn.Server, host: str) -> None:
    content = image()
    body = POST + f"Content-Length: {len(content)}\r\n\r\n".encode() + content
    assert statuses(server, body, host) == [200]


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 44",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding: gzip, chunked",
        b"Content-Length: +5",
        b"Content-Length: -1",
        b"Content-Length: " + b"9" * 30,
        b"Content-Length: " + b"9" * 5000,
        b"Host: 127.0.0.1",
        b"Origin: http://localhost\r\nOrigin: http://127.0.0.1",
        b"Authorization: Bearer one\r\nAuthorization: Bearer two",
        b"Content-Length : 5",
        b"X: a\0b",
    ],
)
def test_no_request_hides_in_another_one(server: uvicorn.Server, headers: bytes) -> None:
    hidden = b"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    found = statuses(server, POST + headers + b"\r\n\r\n" + hidden)
    assert len(found) <= 1 or 200 not in found
    assert all(400 <= one < 600 for one in found)
    assert statuses(server, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") == [200]


def test_a_refusal_reaches_callers_who_send_on(server: uvicorn.Server) -> None:
    """As http.client and many others do, which read the answer only after the whole body."""
    for length in (True, False):
        asking = http.client.HTTPConnection(*server.addresses["127.0.0.1"], timeout=10)
        body = bytes(3 << 20) if length else (bytes(1 << 16) for _ in range(24))
        asking.request("POST", "/predict", body, {"Content-Type": "image/png"})
        answer = asking.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (413, "close")
        assert "at most 1,048,576 bytes" in json.loads(answer.read())["error"]


def test_every_hostile_upload_is_answered(server: uvicorn.Server) -> None:
    port = server.addresses["127.0.0.1"][1]
    kinds = service_attacks.kinds()
    kinds.pop("slow")  # below
    answers = {name: attempt(port) for name, attempt in kinds.items()}
    assert answers.pop("aborted") == "left"
    assert {name: one for name, one in answers.items() if not isinstance(one, int) or one >= 500} == {}
    assert service_attacks.post(port, service_attacks.good_image())[0] == 200


def test_a_body_that_never_ends_is_ended(server: uvicorn.Server) -> None:
    begun = time.monotonic()
    with socket.create_connection(server.addresses["127.0.0.1"], timeout=10) as opened:
        opened.sendall(POST + b"Content-Length: 1000\r\n\r\nabc")
        assert opened.recv(1 << 16).startswith(b"HTTP/1.1 504 ")
        assert time.monotonic() - begun < 4  # the answer comes with the time that is up
        while opened.recv(1 << 16):
            pass
    assert time.monotonic() - begun < 8


@pytest.mark.parametrize(
    "path", [b"/../settings.py", b"/%2e%2e/settings.py", b"/page.css%00", b"//health", b"/page.css/../app.py", b"*"]
)
def test_only_known_paths_are_answered(server: uvicorn.Server, path: bytes) -> None:
    assert statuses(server, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n") in ([404], [400])


def test_head_is_answered_as_get_without_a_body(server: uvicorn.Server) -> None:
    """Whoever watches over a service asks so."""
    asking = http.client.HTTPConnection(*server.addresses["127.0.0.1"][:2], timeout=10)
    for path, status in (("/health", 200), ("/", 200), ("/metrics", 200), ("/predict", 405), ("/nothing", 404)):
        found = []
        for method in ("HEAD", "GET"):
            asking.request(method, path)
            answer = asking.getresponse()
            found.append((answer.status, answer.headers["content-type"], answer.headers["allow"]))
            assert bool(answer.read()) == (method == "GET")
        assert found[0] == found[1]
        assert found[0][0] == status


def test_requests_are_read_by_the_parser_that_these_tests_attack(server: uvicorn.Server) -> None:
    """Whatever else is installed beside it: another one has no limit of headers."""
    assert server.config.http == "h11"
    with suppress(ConnectionError):  # it ends while more is sent
        assert statuses(server, b"GET /health HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * (1 << 20)) == [400]
