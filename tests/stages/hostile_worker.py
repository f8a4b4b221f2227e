"""A decoding process whose decoder has every fault that a hostile picture could find; the picture's bytes say which."""

import os
import signal
import time
from typing import Any

from stages.lib import decoding_worker
from stages.lib.decoding_worker import Answer

_describe = decoding_worker._DO["describe"]
_FAULTS = {
    b"crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    b"kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"memory": lambda: bytearray(1 << 36),
    b"sleep": lambda: time.sleep(60),
    b"leave": lambda: os._exit(3),
    b"recursion": lambda: 1 / 0,
}


def _loop() -> None:
    while True:
        pass


def _faulty(order: dict[str, Any]) -> Answer:
    content = decoding_worker._member(order["archive"], order["name"], order["alone"])
    if content == b"loop":
        _loop()
    if content in _FAULTS:
        _FAULTS[content]()
    return _describe(order)


def _environment(order: dict[str, Any]) -> Answer:
    return dict(os.environ), b""


if __name__ == "__main__":
    decoding_worker.CPU_SECONDS = 1
    decoding_worker._DO.update(describe=_faulty, environment=_environment)
    decoding_worker.main()
