"""Images as a model takes them, read in processes of their own: for files that nobody has looked at yet."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import numpy as np

from smallset.decoding.process import WORKER, Process
from smallset.decoding.processes import answers
from smallset.images.broken import BrokenImage
from smallset.images.choices import Color
from smallset.images.decode import CHANNELS
from smallset.images.resizing import Resizing

Read = tuple[str, np.ndarray | BrokenImage]


def read(
    paths: Iterable[str],
    size: int,
    color: Color,
    resizing: Resizing,
    expected: int | None = None,
    program: str = WORKER,
    begun: Process | None = None,
) -> Generator[Read, None, None]:
    """The same as `smallset.images.decode.decode` of each file, in their order; few are in memory at once.

    Args:
        paths: of files.
        size: height and width in pixels of the result.
        color: rgb or grey.
        resizing: how an image gets its size.
        expected: how many there are; None where nobody knows.
        program: as of `processes.answers`.
        begun: as of `processes.answers`.

    Yields:
        The path, and its pixels uint8 (size, size, channels) in [0, 255], or why it cannot be read.

    Raises:
        TemporaryError: the system ended a process, as it does where memory is short.
    """
    how = {"do": "decode", "size": size, "color": color, "resizing": resizing.as_dict()}
    asked: deque[str] = deque()

    def orders() -> Iterator[dict[str, Any]]:
        for path in paths:
            asked.append(path)
            yield how | {"path": path}

    for found in answers(orders(), expected, program, begun):
        path = asked.popleft()
        if isinstance(found, BrokenImage):
            yield path, found
        else:
            yield path, np.frombuffer(found[1], np.uint8).reshape(size, size, CHANNELS[color])
