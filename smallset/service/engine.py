"""From the files of a request to predictions: read in processes, computed by one thread, in batches or not."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from smallset.images.broken import BrokenImage
from smallset.inference.results import Prediction
from smallset.service.decoders import Decoders
from smallset.service.errors import Refused
from smallset.service.models import Model
from smallset.service.settings import Settings

Result = TypeVar("Result")


@dataclass
class _Work:
    model: Model
    pixels: Sequence[np.ndarray]
    found: "asyncio.Future[list[Prediction]]"


class Engine:
    """What computes for all requests of a service.

    Attributes:
        waiting: images that are read or wait for the model.
    """

    def __init__(self, settings: Settings) -> None:
        """Begin to start the processes that read images."""
        self._settings = settings
        self._decoders = Decoders(settings)
        self._readers = ThreadPoolExecutor(settings.decoders, "read")
        # A model computes one batch at a time, on all processors.
        self._computer = ThreadPoolExecutor(1, "compute")
        self._queue: asyncio.Queue[_Work] = asyncio.Queue()
        self._explainer = ThreadPoolExecutor(1, "explain")
        self._is_explaining = False
        self.waiting = 0

    async def run(self) -> None:
        """Compute what waits, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            together = [await self._queue.get()]
            images = len(together[0].pixels)
            while images < self._settings.batch and not self._queue.empty():
                together.append(self._queue.get_nowait())
                images += len(together[-1].pixels)
            together = [one for one in together if not one.found.done()]  # whose callers still wait
            for part in _by_model(together):
                await loop.run_in_executor(self._computer, _compute, part, loop)

    @contextmanager
    def room(self, images: int) -> Iterator[None]:
        """Count images as waiting while the block runs.

        Raises:
            Refused: too many wait already.
        """
        if self.waiting + images > self._settings.most_waiting:
            raise Refused(503, f"{self.waiting} images wait already: try again in a second", {"Retry-After": "1"})
        self.waiting += images
        try:
            yield
        finally:
            self.waiting -= images

    async def read(self, model: Model, files: Sequence[Path]) -> list[np.ndarray | BrokenImage]:
        """The pixels of each file, or why it cannot be read."""
        loop = asyncio.get_running_loop()

        def read(file: Path) -> np.ndarray | BrokenImage:
            try:
                return self._decoders.read(file, model.classifier.description)
            except BrokenImage as error:
                return error

        return list(await asyncio.gather(*(loop.run_in_executor(self._readers, read, file) for file in files)))

    async def predict(self, model: Model, pixels: Sequence[np.ndarray]) -> list[Prediction]:
        """The prediction of each image that `read` gave."""
        if not pixels:
            return []
        found: asyncio.Future[list[Prediction]] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Work(model, pixels, found))
        return await found

    async def explain(self, work: Callable[[], Result]) -> Result:
        """Run what takes many passes of a model, one at a time.

        Raises:
            Refused: another one runs.
        """
        if self._is_explaining:
            raise Refused(503, "another image is explained at this moment: try again", {"Retry-After": "2"})
        self._is_explaining = True
        running = self._explainer.submit(work)
        # At its end, which comes later than that of a caller who waits no longer.
        running.add_done_callback(self._explained)
        return await asyncio.wrap_future(running)

    def _explained(self, _: object) -> None:
        self._is_explaining = False

    def end(self) -> None:
        """End processes and threads."""
        self._decoders.end()
        for pool in (self._readers, self._computer, self._explainer):
            pool.shutdown(wait=False, cancel_futures=True)


def _by_model(together: list[_Work]) -> list[list[_Work]]:
    """Requests that began with the same model and whose images are of one type of number, side by side."""
    parts: dict[tuple[int, np.dtype[np.generic]], list[_Work]] = {}
    for one in together:
        parts.setdefault((id(one.model), one.pixels[0].dtype), []).append(one)
    return list(parts.values())


def _compute(part: list[_Work], loop: asyncio.AbstractEventLoop) -> None:
    pixels = [image for one in part for image in one.pixels]
    try:
        found = list(part[0].model.classifier.classified((None, image) for image in pixels))
    except Exception as error:
        for one in part:
            loop.call_soon_threadsafe(_settle, one, error)
        return
    for one in part:
        mine, found = found[: len(one.pixels)], found[len(one.pixels) :]
        loop.call_soon_threadsafe(_settle, one, mine)


def _settle(work: _Work, found: list[Prediction] | Exception) -> None:
    if work.found.done():  # whoever asked has gone
        return
    if isinstance(found, Exception):
        work.found.set_exception(found)
    else:
        work.found.set_result(found)
