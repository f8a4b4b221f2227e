"""Strangers' servers: answers without end, too slowly, lies about their length."""

import shutil
import time
from collections import namedtuple
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from stages.lib.core.errors import TemporaryError, UserError
from stages.lib.sources import limits as download_limits
from stages.lib.sources import url as source_url
from stages.lib.sources.limits import Limits
from tests.stages.sources.internet import PUBLIC, Answer, fetch, internet, leads


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


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
