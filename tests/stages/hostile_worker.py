"""A decoding process whose decoder has every fault that a hostile image could find; the image's bytes say which."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from smallset.decoding import worker
from smallset.decoding.worker import Answer, decoded
from stages.lib.decoding.worker import described, member

_FAULTS = {
    b"crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    b"kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"memory": lambda: bytearray(1 << 36),
    b"sleep": lambda: time.sleep(60),
    b"recursion": lambda: 1 / 0,
}


def _loop() -> None:
    while True:
        pass


def _fail(content: bytes) -> None:
    if content == b"loop":
        _loop()
    if content in _FAULTS:
        _FAULTS[content]()


def _faulty(order: dict[str, Any]) -> Answer:
    _fail(member(order["archive"], order["name"]))
    return described(order)


def _faulty_file(order: dict[str, Any]) -> Answer:
    _fail(Path(order["path"]).read_bytes())
    return decoded(order)


def _environment(order: dict[str, Any]) -> Answer:
    return dict(os.environ), b""


if __name__ == "__main__":
    worker.CPU_SECONDS = 1
    worker.main({"describe": _faulty, "decode": _faulty_file, "environment": _environment})
