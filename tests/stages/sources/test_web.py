"""Strangers' servers: addresses that lead into private networks, and to others than those that were meant."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpcore
import pytest

from safety import web
from safety.download_headers import AUTHORIZATION
from stages.lib.core.errors import UserError
from tests.stages.sources.internet import OTHER, PUBLIC, fetch, internet, leads

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


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
