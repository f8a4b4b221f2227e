"""Strangers' images decoded in processes of their own, which a hostile file may crash or stop, and nothing else."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import Pipe
from pathlib import Path
from threading import Lock
from typing import Any

from smallset.images import files
from smallset.images.files import BrokenImage
from stages.lib.core.errors import TemporaryError, UserError
from stages.lib.decoding import worker

_MOST_PROCESSES = 4  # more wait for each other's memory
_BATCH = 16  # orders that a process gets at once, so that it need not wait for the next one
# Of the clock, for one image: far more than its processor time, for a machine that has much else to do.
_SECONDS = 10 * worker.CPU_SECONDS
# All that a decoder needs of the environment: no token, no password, no address.
_NEEDED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "TMPDIR", "LANG", "LC_ALL")
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_KILLED = "the system ended a process that decodes images: free some memory and run again"
# Run as a program.
WORKER = worker.__name__
_ROOT = Path(__file__).resolve().parents[3]

Order = dict[str, Any]
Answer = tuple[dict[str, Any], bytes]
Verdict = Answer | BrokenImage


class Ended(Exception):
    """A process ended, or was ended, before it had answered; the message says why, of the image."""


def answers(orders: Sequence[Order]) -> Iterator[Verdict]:
    """Carry out orders in processes, side by side.

    Args:
        orders: as `decoding_worker` takes them, without "alone".

    Yields:
        For each order, in their sequence, what the process found and the bytes that belong to it; or why the image
        is set aside.

    Raises:
        TemporaryError: the system ended a process, as it does where memory is short.
    """
    count = min(_MOST_PROCESSES, os.cpu_count() or 1, max(1, -(-len(orders) // _BATCH)))
    idle: queue.SimpleQueue[Process] = queue.SimpleQueue()
    # All of them together take half of what an image may take that is decoded alone beside them.
    processes = [Process(files.MOST_MEMORY // (2 * count)) for _ in range(count)]
    for process in processes:
        idle.put(process)
    one_large = Lock()

    def carry_out(batch: Sequence[Order]) -> list[Verdict]:
        process = idle.get()
        try:
            return _carry_out(process, batch, one_large)
        finally:
            idle.put(process)

    def found(pool: ThreadPoolExecutor) -> Iterator[Verdict]:
        ahead: list[Future[list[Verdict]]] = []
        for start in range(0, len(orders), _BATCH):
            ahead.append(pool.submit(carry_out, orders[start : start + _BATCH]))
            if len(ahead) > 4 * count:
                yield from ahead.pop(0).result()
        for future in ahead:
            yield from future.result()

    pool = ThreadPoolExecutor(count)
    try:
        yield from found(pool)
    finally:
        # Of an error, an interrupt, or a caller who wants no more: what has not begun is left.
        pool.shutdown(cancel_futures=True)
        for process in processes:
            process.end()


def _carry_out(process: "Process", batch: Sequence[Order], one_large: Lock) -> list[Verdict]:
    found: list[Verdict | None] = []
    while len(found) < len(batch):
        try:
            found.extend(_verdict(*answer) for answer in process.ask(batch[len(found) :], alone=False))
        except Ended:
            # Perhaps the work of an image before it in the same process: a new one decides.
            found.append(None)
    return [_alone(process, order, one_large) if one is None else one for order, one in zip(batch, found, strict=True)]


def _alone(process: "Process", order: Order, one_large: Lock) -> Verdict:
    """The verdict on an image while no other large one is decoded."""
    try:
        with one_large:
            (answer,) = process.ask([order], alone=True)
    except Ended as ended:
        return BrokenImage(str(ended))
    found = _verdict(*answer)
    assert found is not None
    return found


def _verdict(about: dict[str, Any], content: bytes) -> Verdict | None:
    """What an answer says of the image; None: it has to be decoded alone."""
    if "alone" in about:
        return None
    return BrokenImage(about["broken"]) if "broken" in about else (about["found"], content)


class Process:
    """A decoding process, started when it is asked, and again after it has ended."""

    def __init__(self, share: int) -> None:
        """Nothing is started.

        Args:
            share: bytes of memory that it may use for one image beside others.
        """
        self._share = share
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, orders: Sequence[Order], alone: bool) -> Iterator[Answer]:
        """Have orders carried out one after the other.

        Args:
            alone: no other large image is decoded at this moment.

        Raises:
            Ended: the process ended, or took too long, at the order whose answer is missing.
            TemporaryError: the system ended it.
        """
        self._start()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._connection.send_bytes(json.dumps([{**order, "alone": alone} for order in orders]).encode())
        for _ in orders:
            yield self._answer()

    def _answer(self) -> Answer:
        try:
            if not self._connection.poll(_SECONDS):
                self.end()
                raise Ended(f"takes more than {_SECONDS} seconds to decode")
            about, _, content = self._connection.recv_bytes().partition(b"\n")
        except (EOFError, ConnectionResetError):
            raise self._ended() from None
        return json.loads(about), content

    def _ended(self) -> Exception:
        assert self._process is not None
        number = -self._process.wait()
        self.end()
        if number == signal.SIGXCPU:
            return Ended(f"takes more than {worker.CPU_SECONDS} seconds of processor time to decode")
        if number == signal.SIGKILL:
            return TemporaryError(_KILLED)
        how = signal.Signals(number).name if number > 0 else f"exit code {-number}"
        return Ended(f"ends its decoder ({how}): damaged, or made to do harm")

    def _start(self) -> None:
        if self._process is not None:
            return
        self._connection, theirs = Pipe()
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
        kept = {name: os.environ[name] for name in _NEEDED if name in os.environ}
        # A program started anew, never a fork: threads and TensorFlow do not survive one.
        with _no_interrupt():
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", WORKER, str(theirs.fileno()), str(self._share)],
                env=kept | _ONE_THREAD | {"PYTHONPATH": path},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        theirs.close()
        try:
            self._connection.recv_bytes()
        except (EOFError, ConnectionResetError):
            code = self._process.wait()
            self.end()
            if code == -signal.SIGKILL:
                raise TemporaryError(_KILLED) from None
            raise UserError(f"the processes that decode images do not start (exit code {code})") from None

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._connection.close()
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """What is started meanwhile never sees a Ctrl-C, not even while it starts: who started it ends it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
