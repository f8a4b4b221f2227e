"""One process that decodes strangers' images: started when it is asked, ended when it hangs, and what its end says."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from smallset.decoding import streams
from smallset.decoding.limits import CPU_SECONDS, EVERY_SECOND
from smallset.errors import TemporaryError, UserError

WORKER = "smallset.decoding.worker"
_OF_WINDOWS = ("SYSTEMROOT", "TEMP", "TMP")
# All that a decoder needs of the environment: no token, no password, no address.
_NEEDED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "TMPDIR", "LANG", "LC_ALL", *_OF_WINDOWS)
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_KILLED = "the system ended a process that decodes images: free some memory and run again"
_ROOT = Path(__file__).resolve().parents[2]

Order = dict[str, Any]
Answer = tuple[dict[str, Any], bytes]


class Ended(Exception):
    """A process ended, or was ended, before it had answered; the message says why, of the image."""


class Process:
    """A decoding process, started when it is asked or before, and again after it has ended."""

    def __init__(self, program: str = WORKER) -> None:
        """Nothing is started; `program`: the module that is run."""
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False

    def ask(self, orders: Sequence[Order], share: int | None) -> Iterator[Answer]:
        """Have orders carried out one after the other.

        Args:
            orders: as the program takes them, without "share".
            share: bytes of memory that it may use for one image beside others; None where no other large image is
                decoded at this moment.

        Raises:
            Ended: the process ended, or took too long, at the order whose answer is missing.
            TemporaryError: the system ended it.
        """
        self._start()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._connection.send_bytes(json.dumps([{**order, "share": share} for order in orders]).encode())
        for _ in orders:
            yield self._answer()

    def _answer(self) -> Answer:
        try:
            if not self._connection.poll(EVERY_SECOND):
                self.end()
                raise Ended(f"takes more than {EVERY_SECOND} seconds to decode")
            about, _, content = self._connection.recv_bytes().partition(b"\n")
        except (EOFError, ConnectionResetError):
            raise self._ended() from None
        return json.loads(about), content

    def _ended(self) -> Exception:
        assert self._process is not None
        number = -self._process.wait()
        self.end()
        if sys.platform != "win32" and number == signal.SIGXCPU:
            return Ended(f"takes more than {CPU_SECONDS} seconds of processor time to decode")
        if _is_kill(number):
            return TemporaryError(_KILLED)
        how = signal.Signals(number).name if number > 0 else f"exit code {-number}"
        return Ended(f"ends its decoder ({how}): damaged, or made to do harm")

    def begin(self) -> None:
        """Start it, and do not wait until it can be asked."""
        if self._process is not None:
            return
        streams.open_closed()
        self._connection, theirs = Pipe()
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
        kept = {name: os.environ[name] for name in _NEEDED if name in os.environ}
        # A program started anew, never a fork: threads and TensorFlow do not survive one.
        with _no_interrupt():
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._program, str(theirs.fileno())],
                env=kept | _ONE_THREAD | {"PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                **_given(theirs.fileno()),
            )
        theirs.close()

    def _start(self) -> None:
        self.begin()
        if self._is_ready:
            return
        assert self._process is not None
        try:
            self._connection.recv_bytes()
            self._is_ready = True
        except (EOFError, ConnectionResetError):
            code = self._process.wait()
            self.end()
            if _is_kill(-code):
                raise TemporaryError(_KILLED) from None
            raise UserError(f"the processes that decode images do not start (exit code {code})") from None

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._connection.close()
            self._process.kill()
            self._process.wait()
            self._process, self._is_ready = None, False


def _given(end: int) -> dict[str, Any]:
    """Arguments of `Popen` by which what is started has one end of a pipe, by its number, and nothing else."""
    if sys.platform == "win32":
        os.set_handle_inheritable(end, True)
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [end]})
        return {"startupinfo": startup, "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"pass_fds": [end]}


def _is_kill(number: int) -> bool:
    return sys.platform != "win32" and number == signal.SIGKILL


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """What is started meanwhile never sees a Ctrl-C, not even while it starts: who started it ends it."""
    if sys.platform == "win32":
        # It is a group of its own there, which Ctrl-C does not reach.
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
