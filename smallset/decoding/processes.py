"""Strangers' images decoded in processes of their own, which a hostile file may crash or stop, and nothing else."""

import os
import queue
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Lock
from typing import Any

from smallset.decoding.process import WORKER, Answer, Ended, Order, Process
from smallset.images import files
from smallset.images.broken import BrokenImage

_MOST_PROCESSES = 4  # more wait for each other's memory
_BATCH = 16  # orders that a process gets at once, so that it need not wait for the next one
_AHEAD = 2  # batches of orders that wait for a process
_WORTH_ONE = 32  # orders: with fewer, a process takes longer to start than it spares

Verdict = Answer | BrokenImage


def answers(
    orders: Iterable[Order],
    expected: int | None = None,
    program: str = WORKER,
    begun: Process | None = None,
) -> Iterator[Verdict]:
    """Carry out orders in processes, side by side; no more orders are taken than are worked on.

    Args:
        orders: as the program takes them, without "share".
        expected: how many there are, so that no more processes start than are worth it; None where nobody knows.
        program: the module that each process runs: `worker`, or one that calls its `main` with other work.
        begun: one of the processes, which began early; its end is here.

    Yields:
        For each order, in their sequence, what the process found and the bytes that belong to it; or why the image
        is set aside.

    Raises:
        TemporaryError: the system ended a process, as it does where memory is short.
    """
    useful = _MOST_PROCESSES if expected is None else max(1, expected // _WORTH_ONE)
    count = min(_MOST_PROCESSES, os.cpu_count() or 1, useful)
    idle: queue.SimpleQueue[Process] = queue.SimpleQueue()
    processes = [begun or Process(program), *(Process(program) for _ in range(count - 1))]
    # All of them together take half of what an image may take that is decoded alone beside them.
    share = files.MOST_MEMORY // (2 * count)
    for process in processes:
        idle.put(process)
    one_large = Lock()

    def carry_out(batch: Sequence[Order]) -> list[Verdict]:
        process = idle.get()
        try:
            return _carry_out(process, batch, share, one_large)
        finally:
            idle.put(process)

    def found(pool: ThreadPoolExecutor) -> Iterator[Verdict]:
        ahead: list[Future[list[Verdict]]] = []
        waiting = iter(orders)
        while batch := list(islice(waiting, _BATCH)):
            ahead.append(pool.submit(carry_out, batch))
            if len(ahead) > _AHEAD * count:
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


def _carry_out(process: Process, batch: Sequence[Order], share: int, one_large: Lock) -> list[Verdict]:
    found: list[Verdict | None] = []
    while len(found) < len(batch):
        try:
            found.extend(_verdict(*answer) for answer in process.ask(batch[len(found) :], share))
        except Ended:
            # Perhaps the work of an image before it in the same process: a new one decides.
            found.append(None)
    return [_alone(process, order, one_large) if one is None else one for order, one in zip(batch, found, strict=True)]


def _alone(process: Process, order: Order, one_large: Lock) -> Verdict:
    """The verdict on an image while no other large one is decoded."""
    try:
        with one_large:
            (answer,) = process.ask([order], None)
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
