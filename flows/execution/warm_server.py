"""The warm process: it has imported the libraries of the stages, and each stage runs in a copy (a fork) of it.

    python -P warm_server.py SOCKET LIBRARY...

A third of the time of a small run is the import of TensorFlow, again in each stage. A copy computes what a process of
its own would: libraries are imported and nothing else is done, what they start is safe to fork, modules of the project
are imported anew in each copy, and only who has the very environment of this process is served. It ends when its input
ends, as that does with whoever started it; stages at work go on. Imports nothing of this project, which lies in the
working directory.
"""

import atexit
import ctypes
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

assert sys.platform == "linux", "it is started on Linux alone"
# Beginnings of variables that differ between what DVC starts and this process, and that no library of ours reads.
_OF_THE_WAY = ("DVC_", "SMALLSET_", "PATH", "PWD", "OLDPWD", "SHLVL", "_")
_PR_SET_PDEATHSIG = 1  # of prctl(2): the signal that comes when the parent has died


def main(place: str, libraries: list[str]) -> list[str]:
    """Serve until the input ends; gives nothing then, and in each copy the module that it is to run, and arguments."""
    environment = dict(os.environ)
    _import_all(libraries)
    # Nobody asks how a copy ended but who looks after it.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(new := f"{place}.new")
        listener.listen()
        # Who sees it is answered.
        Path(new).rename(place)
        while True:
            ready, _, _ = select.select([listener.fileno(), 0], [], [])
            if 0 in ready:
                return []
            client, _ = listener.accept()
            if not os.fork():
                listener.close()
                return _attended(client, environment)
            client.close()


def _import_all(libraries: list[str]) -> None:
    """Import as `stages.lib.networks.startup` does, with the same variables."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"
    for name in libraries:
        with suppress(ImportError):
            import_module(name)
    # What is there now is nobody's garbage: a copy that looked through it would copy it.
    gc.freeze()


def _attended(client: socket.socket, environment: dict[str, str]) -> list[str]:
    """Fork once more: the copy becomes the stage, this process looks after it and ends with it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    order, descriptors = _received(client)
    if _relevant(order["environment"]) != _relevant(environment):
        os._exit(0)
    client.sendall(b"y")
    attendant = os.getpid()
    process = os.fork()
    if process:
        for descriptor in descriptors:
            os.close(descriptor)
        _look_after(process, client)
    client.close()
    _end_with(attendant)
    _become(order, descriptors)
    return list(order["arguments"])


def _received(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """An order, and the descriptors of its input, output and errors."""
    size, descriptors, _, _ = socket.recv_fds(client, 8, 3)
    content = bytearray()
    while len(content) < int.from_bytes(size, "big"):
        content += client.recv(1 << 16) or sys.exit()
    return json.loads(content), descriptors


def _relevant(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(_OF_THE_WAY)}


def _look_after(process: int, client: socket.socket) -> NoReturn:
    """Give the stage the signals of its client, and the client the end of the stage; end the stage with its client."""
    ended = os.pidfd_open(process)
    while ended not in (ready := select.select([ended, client.fileno()], [], [])[0]):
        if ready:
            numbers = client.recv(64)
            with suppress(ProcessLookupError):
                if not numbers:
                    os.killpg(process, signal.SIGKILL)
                    os._exit(0)
                for number in numbers:
                    os.kill(process, number)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with suppress(OSError):
        client.sendall(code.to_bytes(4, "big", signed=True))
    os._exit(0)


def _end_with(attendant: int) -> None:
    """Have this process die with the one that looks after it: else it would write on what DVC takes for failed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != attendant:
        os._exit(1)


def _become(order: dict[str, Any], descriptors: list[int]) -> None:
    """Take the place of a process that was started as the order says."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.path.insert(0, order["folder"])
    if numpy := sys.modules.get("numpy"):
        # Else all copies would draw the same numbers where they ask for any.
        numpy.random.seed()


def _run(module: str, arguments: list[str]) -> NoReturn:
    """Run a module as `python -m` does, and end as Python does, but leave the memory to the system.

    To free all that was imported takes longer than to import nothing, since each page would be copied for it.
    """
    code = 0
    try:
        sys.argv[1:] = arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        code = 1
        traceback.print_exc()
    # As Python does at its end, and `multiprocessing` at that of a fork.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    if found := main(sys.argv[1], sys.argv[2:]):
        _run(found[0], found[1:])
