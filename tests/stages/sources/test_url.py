"""A real server on this machine that breaks off, forgets ranges, is busy or lies."""

import hashlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from safety.download_headers import AUTHORIZATION
from stages.lib.core.errors import UserError
from stages.lib.sources import url as source_url
from stages.lib.sources.limits import Limits

CONTENT = random.Random(0).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def fetch(url: str, sha256: str | None) -> Path:
    return source_url.fetch(url, sha256, Limits(10**9, 3600))


@dataclass
class Behaviour:
    """What the server does, and what it was asked."""

    content: bytes = CONTENT
    ranges: bool = True
    breaks: int = 0  # so many answers end after half of what they should hold
    statuses: list[int] = field(default_factory=list)  # of the first answers
    version: str = '"1"'
    asked: list[str | None] = field(default_factory=list)  # the ranges
    let_in: list[str | None] = field(default_factory=list)  # the header Authorization of each
    location: str | None = None
    knows_versions: bool = True  # whether it heeds If-Range


class Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        state = self.behaviour
        asked = self.headers.get("Range")
        state.asked.append(asked)
        state.let_in.append(self.headers.get("Authorization"))
        if state.location is not None:
            self.send_response(302)
            self.send_header("Location", state.location)
            self.end_headers()
            return
        if state.statuses:
            self.send_error(state.statuses.pop(0))
            return
        start = 0
        if (
            asked
            and state.ranges
            and (not state.knows_versions or self.headers.get("If-Range") in (None, state.version))
        ):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(state.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(state.content)}")
            self.send_header("ETag", state.version)
            self.end_headers()
            return
        body = state.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(state.content) - 1}/{len(state.content)}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", state.version)
        self.end_headers()
        if state.breaks:
            state.breaks -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Behaviour]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    behaviour = Behaviour()
    handler = type("Bound", (Handler,), {"behaviour": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/images.zip", behaviour
        running.shutdown()
        thread.join()


def refusal(url: str, sha256: str = SHA256) -> str:
    with pytest.raises(UserError) as caught:
        fetch(url, sha256)
    message = str(caught.value)
    assert "\n" not in message
    assert url in message
    return message


def kept() -> list[Path]:
    return list(source_url.PARTIALS.iterdir())


def test_a_file_arrives_and_is_forgotten(server: tuple[str, Behaviour]) -> None:
    url, behaviour = server
    file = fetch(url, SHA256.upper())
    assert file.read_bytes() == CONTENT
    assert behaviour.asked == [None]
    source_url.forget(file)
    assert not kept()


def test_a_broken_connection_is_resumed_where_it_broke(server: tuple[str, Behaviour]) -> None:
    url, behaviour = server
    behaviour.breaks = 3
    assert fetch(url, SHA256).read_bytes() == CONTENT
    assert behaviour.asked == [None, "bytes=150000-", "bytes=225000-", "bytes=262500-"]


def test_a_server_without_ranges_starts_again(server: tuple[str, Behaviour]) -> None:
    url, behaviour = server
    behaviour.ranges, behaviour.breaks = False, 2
    assert fetch(url, SHA256).read_bytes() == CONTENT
    assert len(behaviour.asked) == 3


def test_progress_earns_further_tries(server: tuple[str, Behaviour]) -> None:
    url, behaviour = server
    behaviour.breaks = source_url.TRIES + 4
    assert fetch(url, SHA256).read_bytes() == CONTENT


def test_without_progress_it_gives_up_and_a_later_run_goes_on(server: tuple[str, Behaviour]) -> None:
    url, behaviour = server
    behaviour.ranges, behaviour.breaks = False, 100
    assert "gave up after 6 tries without progress" in refusal(url)
    assert len(behaviour.asked) == 1 + source_url.TRIES
    behaviour.ranges, behaviour.breaks, behaviour.asked = True, 0, []
    assert fetch(url, SHA256).read_bytes() == CONTENT
    assert behaviour.asked == ["bytes=150000-"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(server: tuple[str, Behaviour]) -> None:
    url, behaviour = server
    source_url.PARTIALS.mkdir(parents=True)
    (source_url.PARTIALS / f"{SHA256}.partial").write_bytes(bytes(1000))
    (source_url.PARTIALS / f"{SHA256}.version").write_text('"0"')
    assert fetch(url, SHA256).read_bytes() == CONTENT
    assert behaviour.asked == ["bytes=1000-"]


def test_more_than_there_is_starts_again(server: tuple[str, Behaviour]) -> None:
    url, behaviour = server
    source_url.PARTIALS.mkdir(parents=True)
    (source_url.PARTIALS / f"{SHA256}.partial").write_bytes(bytes(400_000))
    assert fetch(url, SHA256).read_bytes() == CONTENT
    assert behaviour.asked == ["bytes=400000-", None]


def test_a_busy_server_is_asked_again(server: tuple[str, Behaviour], capsys: pytest.CaptureFixture[str]) -> None:
    url, behaviour = server
    behaviour.statuses = [503, 429]
    assert fetch(url, SHA256).read_bytes() == CONTENT
    assert "the server answered 503" in capsys.readouterr().out


@pytest.mark.parametrize("status", [404, 403, 410])
def test_an_answer_that_will_not_change_is_final(server: tuple[str, Behaviour], status: int) -> None:
    url, behaviour = server
    behaviour.statuses = [status]
    assert f"the server answered {status}" in refusal(url)
    assert len(behaviour.asked) == 1
    assert not kept()


def test_a_wrong_checksum_leaves_nothing(server: tuple[str, Behaviour]) -> None:
    message = refusal(server[0], "0" * 64)
    assert f"expected sha256 {'0' * 64}, received {SHA256}" in message
    assert not kept()


def test_a_complete_file_is_not_fetched_again(server: tuple[str, Behaviour]) -> None:
    url, behaviour = server
    fetch(url, SHA256)
    fetch(url, SHA256)
    assert len(behaviour.asked) == 1


def test_waits_grow_and_end(server: tuple[str, Behaviour], monkeypatch: pytest.MonkeyPatch) -> None:
    url, behaviour = server
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    behaviour.statuses = [503] * 100
    assert "503" in refusal(url)
    assert waited == [1, 2, 4, 8, 16]


def test_nobody_there(server: tuple[str, Behaviour]) -> None:
    assert "gave up after 6 tries" in refusal("http://127.0.0.1:9/x.zip")


def test_an_address_that_cannot_be_one_is_not_tried_again(
    server: tuple[str, Behaviour], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, behaviour = server
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    assert "starts with http" in refusal("ftp://127.0.0.1/x.zip")
    for impossible in ("http:///x.zip", "http://127.0.0.1:port/x.zip"):
        assert "download.url" in refusal(impossible)
    behaviour.location = "ftp://127.0.0.1/x.zip"
    assert "download.url" in refusal(url)
    behaviour.location = url
    assert "redirects" in refusal(url)
    assert not waited


def test_without_a_checksum_the_present_content_is_taken_each_time(server):
    url, state = server
    for content, version in ((b"first", '"1"'), (b"second", '"2"')):
        state.content, state.version = content, version
        fetched = fetch(url, None)
        assert fetched.read_bytes() == content
        source_url.forget(fetched)


def test_without_a_checksum_a_whole_file_is_kept_if_the_server_has_no_other(server):
    url, state = server
    for _ in range(2):
        assert fetch(url, None).read_bytes() == CONTENT
    assert state.asked == [None, f"bytes={len(CONTENT)}-"]
    state.content, state.version = CONTENT[:-1] + b"!", '"2"'
    assert fetch(url, None).read_bytes() == state.content


def test_without_a_checksum_half_a_file_is_only_continued_if_the_server_says_it_is_the_same(server):
    url, state = server
    state.breaks = 1
    fetched = fetch(url, None)
    assert fetched.read_bytes() == CONTENT
    assert state.asked == [None, f"bytes={len(CONTENT) // 2}-"]
    fetched.write_bytes(b"half of something that nobody knows")
    source_url._validator_of(fetched).unlink()
    assert fetch(url, None).read_bytes() == CONTENT
    assert state.asked[-1] is None


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"!", CONTENT[::-1] + b"more"])
def test_another_version_never_continues_what_is_there_whatever_the_server_heeds(server, content):
    url, state = server
    state.knows_versions = False
    assert fetch(url, None).read_bytes() == CONTENT
    state.content, state.version = content, '"2"'
    assert fetch(url, None).read_bytes() == content


def test_who_is_let_in_is_said_by_the_environment_and_to_that_server_alone(server, monkeypatch):
    url, behaviour = server
    monkeypatch.setenv(AUTHORIZATION, "Bearer tok3n-of-mine")
    assert fetch(url, SHA256).read_bytes() == CONTENT
    assert behaviour.let_in == ["Bearer tok3n-of-mine"]


def test_what_is_said_of_an_address_has_no_secret(server, capsys):
    url, behaviour = server
    behaviour.statuses = [503, 404]
    with pytest.raises(UserError) as caught:
        fetch(f"{url}?X-Amz-Signature=5ecret", None)
    assert str(caught.value).startswith(f"{url}?***: expected a file, the server answered 404")
    assert capsys.readouterr().out.startswith(f"{url}?***: the server answered 503")


def test_a_password_in_the_address_is_refused():
    from pydantic import ValidationError

    from stages.lib.core.data_sections import DownloadParams

    others = {"source": "url", "path": "sources", "sample_per_class": 1, "competition": "c", "sha256": None}
    others |= {"max_gigabytes": 1, "max_hours": 1, "links": "inside"}
    for address in ("https://me:tok3n@host/a.zip", "https://tok3n@host/a.zip"):
        with pytest.raises(ValidationError, match="SMALLSET_DOWNLOAD_AUTHORIZATION"):
            DownloadParams(url=address, **others)
    for address in (None, "https://host/a@b.zip?at=c@d", "http://127.0.0.1:80/x"):
        assert DownloadParams(url=address, **others).url == address
