"""Who may ask a service, and what is said before one starts."""

import socket
from pathlib import Path

import pytest

from smallset.cli import commands, ends
from smallset.errors import UserError
from smallset.service.settings import Settings, is_loopback, read_token, require_guarded

TOKEN = "a-token-of-some-length"


def test_other_machines_need_a_token_unless_told_otherwise() -> None:
    for host in ("127.0.0.1", "127.3.2.1", "::1", "[::1]", "localhost", "LOCALHOST."):
        assert is_loopback(host)
        require_guarded(host, None, False)
    for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "127.0.0.1.evil.example", ""):
        assert not is_loopback(host)
        with pytest.raises(UserError, match="--no-token"):
            require_guarded(host, None, False)
        require_guarded(host, TOKEN, False)
        require_guarded(host, None, True)


def test_a_token_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMALLSET_TOKEN", raising=False)
    assert read_token(None) is None
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert read_token(file) == TOKEN
    monkeypatch.setenv("SMALLSET_TOKEN", "short")
    with pytest.raises(UserError, match="at least 16") as caught:
        read_token(None)
    assert "short" not in str(caught.value)
    with pytest.raises(UserError, match="cannot be read"):
        read_token(tmp_path / "none")


def test_only_the_token_admits() -> None:
    settings = Settings(token=TOKEN)
    assert settings.admits(f"Bearer {TOKEN}")
    assert settings.admits(f"bearer {TOKEN}")
    for wrong in (None, "", TOKEN, f"Basic {TOKEN}", "Bearer ", f"Bearer {TOKEN} more", "Bearer \xfc"):
        assert not settings.admits(wrong)
    assert Settings().admits(None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "70000"], "--port"),
        (["--max-images", "0"], "--max-images: expected at least 1. Received: 0"),
        (["--max-megabytes", "-3"], "--max-megabytes: expected at least 1. Received: -3"),
        (["--max-megapixels", "0"], "--max-megapixels: expected at least 1. Received: 0"),
        (["--max-waiting", "-1"], "--max-waiting: expected at least 1. Received: -1"),
        (["--max-waiting", "8"], "--max-waiting: expected at least --max-images, 32. Received: 8"),
        (["--batch", "0"], "--batch: expected at least 1. Received: 0"),
        (["--max-seconds", "nan"], "--max-seconds: expected more than 0, at most 3600. Received: nan"),
        (["--max-seconds", "inf"], "--max-seconds"),
        (["--max-seconds", "-1"], "--max-seconds"),
        (["--host", "0.0.0.0"], "--no-token"),
        (["{folder}"], "expected a bundle"),
    ],
)
def test_a_wrong_start_is_one_line(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMALLSET_TOKEN", raising=False)
    code = commands.run(["serve", *(word.format(folder=tmp_path) for word in words)])
    assert code == ends.FAILED
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert said in line


def test_an_address_that_cannot_be_listened_on_is_one_line(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        starts = (
            ["--port", taken],
            ["--host", "a" * 70 + ".x", "--no-token"],
            ["--host", "no-such.invalid", "--no-token"],
        )
        for words in starts:
            assert commands.run(["serve", str(bundle), *words]) == ends.FAILED
            (line,) = capsys.readouterr().err.splitlines()
            assert line.startswith("error: --host ")
            assert "cannot be listened on" in line
