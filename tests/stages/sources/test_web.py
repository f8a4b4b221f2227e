"""Strangers' servers: addresses that lead into private networks, answers without end, lies about their length."""

import shutil
import socket
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpcore
import pytest

from safety import web
from safety.download_headers import AUTHORIZATION
from stages.lib.core.errors import TemporaryError, UserError
from stages.lib.sources import limits as download_limits
from stages.lib.sources import url as source_url
from stages.lib.sources.limits import Limits

PUBLIC, OTHER = "93.184.215.14", "2606:4700::1111"
ROOT = Path(__file__).resolve().parents[3]
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


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fetch(url: str, limits: Limits = Limits(10**9, 3600)) -> bytes:  # noqa: B008
    return source_url.fetch(url, None, limits).read_bytes()


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1/",
        "http://10.1.2.3:8080/admin",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.100.100.200/",
        "http://0.0.0.0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://[fec0::1]/",
        "http://[fd00:ec2::254]/",
        "http://inside.example/",
    ],
)
def test_a_public_address_leads_to_no_private_one(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    with internet(monkeypatch, leads("http://other.example/", place)) as net:
        net.names = {"images.example": [[PUBLIC]], "other.example": [[OTHER]], "inside.example": [["192.168.0.1"]]}
        with pytest.raises(UserError, match=r"^download\.url: http://images\.example/a\.zip: .*private network$"):
            fetch("http://images.example/a.zip")
        assert net.connected == [PUBLIC, OTHER]


def test_a_name_is_not_another_address_when_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(handler: BaseHTTPRequestHandler) -> None:
        handler.send_error(503)

    with internet(monkeypatch, busy) as net:
        net.names = {"images.example": [[PUBLIC], ["127.0.0.1"]]}
        with pytest.raises(UserError, match="private network"):
            fetch("http://images.example/a.zip")
        assert net.connected == [PUBLIC]
    with internet(monkeypatch, leads()) as net:
        # Of several the public ones alone, and the one that was looked at.
        net.names = {"images.example": [["127.0.0.1", PUBLIC], ["127.0.0.1"]]}
        assert fetch("http://images.example/a.zip") == b"file"
        assert net.connected == [PUBLIC]


def test_ones_own_private_address_may_lead_to_another_but_not_to_the_secrets_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with internet(monkeypatch, leads("http://10.0.0.2/b.zip")) as net:
        assert fetch("http://10.0.0.1/a.zip") == b"file"
        assert net.connected == ["10.0.0.1", "10.0.0.2"]
    for place in ("http://169.254.169.254/", "http://[fd00:ec2::254]/"):
        with (
            internet(monkeypatch, leads(place)),
            pytest.raises(UserError, match="gives out what is this machine's alone"),
        ):
            fetch("http://10.0.0.1/c.zip")


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://93.184.215.14/x", "gopher://x/", "http://me@host/"])
def test_it_leads_nowhere_but_by_http(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    with internet(monkeypatch, leads(place)) as net, pytest.raises(UserError, match=r"^download\.url: [^\n]*leads to"):
        fetch(f"http://{PUBLIC}/a.zip")
    assert net.connected == [PUBLIC]


def test_never_from_https_to_http_nor_on_and_on() -> None:
    route = web.Route("https://host/", 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(route, "_client", lambda url: _Redirecting("http://host/"))
        with pytest.raises(web.Refused, match="without encryption"), route.stream("GET", {}):
            pass
        patch.setattr(route, "_client", lambda url: _Redirecting("https://host/again"))
        with pytest.raises(web.Refused, match="after 5 redirects"), route.stream("GET", {}):
            pass


class _Redirecting(httpcore.NetworkBackend):
    """A client whose every answer leads to one place."""

    def __init__(self, place: str) -> None:
        self.headers, self.cookies, self.has_redirect_location = {"Location": place}, None, True

    @contextmanager
    def stream(self, *arguments: object, **more: object) -> Iterator["_Redirecting"]:
        yield self

    def __enter__(self) -> "_Redirecting":
        return self

    def __exit__(self, *error: object) -> None:
        pass


def test_who_is_let_in_is_said_to_no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(AUTHORIZATION, "Bearer tok3n-of-mine")
    with internet(monkeypatch, leads("/moved.zip", "http://evil.example/", f"http://{PUBLIC}/back")) as net:
        net.names = {"evil.example": [[OTHER]]}
        assert fetch(f"http://{PUBLIC}/a.zip") == b"file"
        assert net.let_in == ["Bearer tok3n-of-mine"] * 2 + [None] * 2


def test_behind_a_proxy_addresses_in_numbers_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with internet(monkeypatch, leads("http://0x7f.1/")) as net:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{net.server.server_port}")
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(UserError, match=r"0x7f\.1, 127\.0\.0\.1, which is in a private network"):
            fetch("http://images.example/a.zip")


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(bytes(1 << 16))
    except OSError:
        pass


def declared(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**15))
    handler.end_headers()


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A head that never ends, a letter at a time."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            handler.wfile.write(b"a")
            time.sleep(0.02)
    except OSError:
        pass


@pytest.mark.parametrize("answer", [endless, declared])
def test_more_than_the_limit_is_refused_and_not_kept(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    with (
        internet(monkeypatch, answer),
        pytest.raises(UserError, match=r"expected at most 0\.001 GB \(download\.max_gigabytes\)"),
    ):
        fetch(f"http://{PUBLIC}/a.zip", Limits(10**6, 3600))
    assert not list(source_url.PARTIALS.iterdir())


@pytest.mark.parametrize("answer", [endless, declared])
def test_the_disk_is_looked_at_before_and_while_it_fills(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    usage = namedtuple("usage", "total used free")
    free = iter([10**9] * (answer is endless))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(0, 0, next(free, 1000)))
    monkeypatch.setattr(download_limits, "_EVERY", 1 << 20)
    with internet(monkeypatch, answer), pytest.raises(UserError, match=r"GB free, expected .* free some space"):
        fetch(f"http://{PUBLIC}/a.zip", Limits(10**16, 3600))


@pytest.mark.parametrize("answer", [drip, endless])
def test_everything_together_ends_in_time(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    began = time.monotonic()
    if answer is endless:
        monkeypatch.setattr(download_limits, "_EVERY", 1 << 40)
    with internet(monkeypatch, answer), pytest.raises(TemporaryError, match=r"within .* h \(download\.max_hours\)"):
        fetch(f"http://{PUBLIC}/a.zip", Limits(10**16, 0.3))
    assert time.monotonic() - began < 5


def test_what_hardly_comes_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_limits, "WINDOW", 0.1)
    asked = []

    def slow(handler: BaseHTTPRequestHandler) -> None:
        asked.append(1)
        if len(asked) > 1:
            return leads()(handler)
        handler.send_response(200)
        handler.send_header("Content-Length", "4000")
        handler.end_headers()
        for _ in range(30):
            handler.wfile.write(b"a")
            time.sleep(0.02)
        return None

    with internet(monkeypatch, slow):
        assert fetch(f"http://{PUBLIC}/a.zip") == b"file"
    assert len(asked) == 2


def test_what_is_compressed_on_the_way_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    def bomb(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip, br")
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        handler.wfile.write(b"bomb")

    with internet(monkeypatch, bomb):
        assert fetch(f"http://{PUBLIC}/a.zip") == b"bomb"


@pytest.mark.parametrize("length", ["²", "9" * 5000, "-1", "x"])
def test_a_length_that_is_none_is_one_line_or_none(monkeypatch: pytest.MonkeyPatch, length: str) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(f"HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\nfile".encode("latin-1"))

    with internet(monkeypatch, answer), pytest.raises(UserError) as caught:
        fetch(f"http://{PUBLIC}/a.zip")
    assert "\n" not in str(caught.value)
