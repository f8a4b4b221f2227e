"""The process that decodes a stranger's images: with limits on memory and time, and without anybody's secrets.

Started by `processes`, which sends it orders and reads its answers: a line of JSON, and bytes after it. An image that
ends this process ends nothing else.
"""

import contextlib
import json
import math
import os
import sys
import time
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from smallset.images import files
from smallset.images.files import BrokenImage
from smallset.images.memory_budget import TooMuchAtOnce
from stages.lib.decoding.described import describe
from stages.lib.images.decode import decode
from stages.lib.images.resizing import remembered

CPU_SECONDS = 60  # of processor time for one image: the largest that is allowed takes about 10
# Address space beyond what Python and the libraries take: a file, and what decoding it may take, with room for both.
_ADDRESS_SPACE = files.MOST_BYTES + 2 * files.MOST_MEMORY

Answer = tuple[dict[str, Any], bytes]


def _described(order: dict[str, Any]) -> Answer:
    found = describe(_member(order["archive"], order["name"], order["alone"]))
    about = asdict(found)
    return about, about.pop("thumbnail").tobytes()


def _decoded(order: dict[str, Any]) -> Answer:
    resizing = remembered(order["resizing"])
    return {}, decode(Path(order["path"]), order["size"], order["color"], resizing).tobytes()


@lru_cache(maxsize=1)
def _opened(archive: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


def _member(archive: str, name: str, alone: bool) -> bytes:
    size = _opened(archive).getinfo(name).file_size
    files.check_size(size)
    if not alone and files.memory.share is not None and size > files.memory.share:
        raise TooMuchAtOnce
    return _opened(archive).read(name)


_DO: dict[str, Callable[[dict[str, Any]], Answer]] = {"describe": _described, "decode": _decoded}


def answer(order: dict[str, Any], share: int) -> Answer:
    """Carry out an order; what goes wrong with the image is the answer, whatever it is."""
    files.memory.share = None if order["alone"] else share
    try:
        about, content = _DO[order["do"]](order)
    except TooMuchAtOnce:
        return {"alone": True}, b""
    except BrokenImage as error:
        return {"broken": str(error)}, b""
    except Exception as error:
        # What no decoder is known to raise: one image is set aside, not all of them.
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return {"broken": f"cannot be decoded: {told[:300]}"}, b""
    return {"found": about}, content


def _limit_memory() -> None:
    """Limit this process's address space, which macOS and Windows do not do, and leave no core behind."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    used = 1 << 32
    with contextlib.suppress(OSError, ValueError):
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (used + _ADDRESS_SPACE, used + _ADDRESS_SPACE))


def _limit_time() -> None:
    """Give the next image its processor time; on Windows the clock of whoever asked is all that ends it."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = math.ceil(time.process_time()) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def _connected(number: int) -> Any:
    """The end of a pipe that this process was given, by its number."""
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(number)
    return Connection(number)


def main() -> None:
    """Answer orders until there are no more; arguments: the number of the connection, and the share of memory."""
    orders, share = _connected(int(sys.argv[1])), int(sys.argv[2])
    warnings.simplefilter("ignore")
    _limit_memory()
    orders.send_bytes(b"ready")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # what a library says of a file nobody asked for
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for order in json.loads(orders.recv_bytes()):
                _limit_time()
                about, content = answer(order, share)
                orders.send_bytes(json.dumps(about).encode() + b"\n" + content)


if __name__ == "__main__":
    main()
