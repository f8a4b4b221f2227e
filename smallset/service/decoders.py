"""Processes that read images for as long as a service runs."""

import queue
import time
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from smallset.decoding.process import Answer, Ended, Process
from smallset.images import files
from smallset.images.broken import BrokenImage
from smallset.images.decode import CHANNELS
from smallset.inference.bundle import Description
from smallset.service.settings import Settings

_PROGRAM = "smallset.service.worker"


class Decoders:
    """Some processes; each reads one image at a time, and one that a hostile file ends is started again."""

    def __init__(self, settings: Settings) -> None:
        """Begin to start them."""
        self._seconds, self._most_pixels = settings.seconds, settings.most_pixels
        self._share = files.MOST_MEMORY // (2 * settings.decoders)
        self._one_large = Lock()
        self._processes = [Process(_PROGRAM) for _ in range(settings.decoders)]
        self._idle: queue.SimpleQueue[Process] = queue.SimpleQueue()
        for process in self._processes:
            process.begin()
            self._idle.put(process)

    def read(self, path: Path, description: Description) -> np.ndarray:
        """An image as a model takes it.

        Returns:
            uint8 (size, size, channels) in [0, 255].

        Raises:
            BrokenImage: it cannot be read within the limits.
            TemporaryError: the system ended the process, as it does where memory is short.
        """
        size, color = description.image_size, description.color
        how = {"size": size, "color": color, "resizing": description.resizing.as_dict()}
        limits = {"seconds": self._seconds, "most_pixels": self._most_pixels}
        process = self._idle.get()
        try:
            _, content = self._answer(process, {"do": "decode", "path": str(path)} | how | limits)
        finally:
            self._idle.put(process)
        return np.frombuffer(content, np.uint8).reshape(size, size, CHANNELS[color])

    def _answer(self, process: Process, order: dict[str, Any]) -> Answer:
        begun = time.monotonic()
        try:
            (answer,) = process.ask([order], self._share)
            if "alone" not in answer[0]:
                return _found(answer)
        except Ended as ended:
            # Perhaps the work of an image before it in the same process: a new one decides, if there is time.
            if time.monotonic() - begun > self._seconds / 2:
                raise BrokenImage(f"takes more than {self._seconds:g} seconds to decode") from ended
        try:
            with self._one_large:
                (answer,) = process.ask([order], None)
        except Ended as ended:
            raise BrokenImage(str(ended)) from None
        return _found(answer)

    def end(self) -> None:
        """End all processes, also those that work."""
        for process in self._processes:
            process.end()


def _found(answer: Answer) -> Answer:
    about, content = answer
    if "broken" in about:
        raise BrokenImage(about["broken"])
    return about, content
