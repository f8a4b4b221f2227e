"""Strangers' images decoded in processes of their own, which a hostile file may crash or stop, and nothing else."""

import os
import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

from smallset.images import files
from smallset.images.files import BrokenImage
from stages.lib.decoding.process import Answer, Ended, Order, Process

_MOST_PROCESSES = 4  # more wait for each other's memory
_BATCH = 16  # orders that a process gets at once, so that it need not wait for the next one
_WORTH_ONE = 32  # orders: with fewer, a process takes longer to start than it spares

Verdict = Answer | BrokenImage


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
    count = min(_MOST_PROCESSES, os.cpu_count() or 1, max(1, len(orders) // _WORTH_ONE))
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


def _carry_out(process: Process, batch: Sequence[Order], one_large: Lock) -> list[Verdict]:
    found: list[Verdict | None] = []
    while len(found) < len(batch):
        try:
            found.extend(_verdict(*answer) for answer in process.ask(batch[len(found) :], alone=False))
        except Ended:
            # Perhaps the work of an image before it in the same process: a new one decides.
            found.append(None)
    return [_alone(process, order, one_large) if one is None else one for order, one in zip(batch, found, strict=True)]


def _alone(process: Process, order: Order, one_large: Lock) -> Verdict:
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
