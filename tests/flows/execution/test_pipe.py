"""A pipe read piece by piece, in both ways: as POSIX waits for it, and in a thread as Windows must."""

import os
import subprocess
import sys
import time

import pytest

from flows.execution import pipe


@pytest.fixture(params=["_by_selector", "_by_thread"])
def reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    way = getattr(pipe, request.param)
    monkeypatch.setattr(pipe, "_by_selector", way)
    return pipe.reading


def started(code: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE)


def test_pieces_come_as_they_are_written_and_the_end_is_told(reading) -> None:
    with (
        started("import os\nos.write(1, b'one\\r')\nos.write(1, bytes(200_000))") as process,
        reading(process.stdout) as read,
    ):
        found = b""
        while piece := read(20):
            found += piece
        assert piece == b""
        assert found == b"one\r" + bytes(200_000)


def test_nobody_waits_for_longer_than_asked_nor_for_who_keeps_the_pipe(reading) -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as file, reading(file) as read:
        began = time.monotonic()
        assert read(0.05) is None
        assert time.monotonic() - began < 5
        os.write(theirs, b"late")
        assert read(20) == b"late"
        assert read(0.01) is None
    os.close(theirs)
