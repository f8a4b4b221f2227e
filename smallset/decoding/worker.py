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
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from safety.words import in_one_line
from smallset.decoding.limits import CPU_SECONDS
from smallset.images import files
from smallset.images.broken import BrokenImage
from smallset.images.decode import decode
from smallset.images.memory_budget import TooMuchAtOnce
from smallset.images.resizing import remembered

# Address space beyond what Python and the libraries take: a file, and what decoding it may take, with room for both.
_ADDRESS_SPACE = files.MOST_BYTES + 2 * files.MOST_MEMORY

Answer = tuple[dict[str, Any], bytes]
Work = Callable[[dict[str, Any]], Answer]


def decoded(order: dict[str, Any]) -> Answer:
    """The pixels of the image at `path`, as a model with this `size`, `color` and `resizing` takes it."""
    resizing = remembered(order["resizing"])
    return {}, decode(Path(order["path"]), order["size"], order["color"], resizing).tobytes()


WORK: Mapping[str, Work] = {"decode": decoded}


def answer(order: dict[str, Any], work: Mapping[str, Work] = WORK) -> Answer:
    """Carry out an order; what goes wrong with the image is the answer, whatever it is."""
    files.memory.share = order["share"]
    try:
        about, content = work[order["do"]](order)
    except TooMuchAtOnce:
        return {"alone": True}, b""
    except BrokenImage as error:
        return {"broken": str(error)}, b""
    except Exception as error:
        # What no decoder is known to raise: one image is set aside, not all of them.
        return {"broken": f"cannot be decoded: {in_one_line(f'{type(error).__name__}: {error}')}"}, b""
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


def main(work: Mapping[str, Work] = WORK) -> None:
    """Answer orders until there are no more; the argument: the number of the connection.

    Args:
        work: what an order may ask for, by the name that it has in `do`.
    """
    orders = _connected(int(sys.argv[1]))
    warnings.simplefilter("ignore")
    _limit_memory()
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # what a library says of a file nobody asked for
    orders.send_bytes(b"ready")  # what goes wrong before is no fault of an image
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for order in json.loads(orders.recv_bytes()):
                _limit_time()
                about, content = answer(order, work)
                orders.send_bytes(json.dumps(about).encode() + b"\n" + content)


if __name__ == "__main__":
    main()
