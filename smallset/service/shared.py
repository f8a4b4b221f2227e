"""What all addresses of a service share: the model in use, what computes, and what is counted."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
from fastapi import FastAPI, Request

from smallset.images.broken import BrokenImage
from smallset.inference.results import Prediction
from smallset.service.engine import Engine
from smallset.service.metrics import Metrics
from smallset.service.models import Current, Model
from smallset.service.settings import Settings

log = logging.getLogger("smallset.service")


class Service:
    """All that the routes share.

    Attributes:
        current: the model in use.
        settings: of the service.
        metrics: what is counted.
        engine: what computes; there once the service has started.
        is_ready: whether requests are answered; not before the start and not while it ends.
    """

    engine: Engine

    def __init__(self, current: Current, settings: Settings) -> None:
        """Nothing is started."""
        self.current, self.settings, self.metrics = current, settings, Metrics()
        self.is_ready = False
        self._tell_model()

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Run what computes and what looks for another bundle, while the application runs."""
        self.engine = Engine(self.settings)
        tasks = [asyncio.create_task(self.engine.run()), asyncio.create_task(self._renew())]
        self.is_ready = True
        try:
            yield
        finally:
            self.is_ready = False
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self.engine.end()

    async def of_files(self, request: Request, model: Model, files: Sequence[Path]) -> list[Prediction | BrokenImage]:
        """The prediction of each file, in their order, or why it cannot be read.

        Raises:
            Refused: too many images wait already.
            TemporaryError: the machine is short of memory.
        """
        request.state.images = len(files)
        with self.engine.room(len(files)):
            read = await self.engine.read(model, files)
            found = iter(await self.engine.predict(model, [one for one in read if isinstance(one, np.ndarray)]))
        said = [one if isinstance(one, BrokenImage) else next(found) for one in read]
        self._count(said)
        return said

    async def of_pixels(self, request: Request, model: Model, pixels: Sequence[np.ndarray]) -> list[Prediction]:
        """The prediction of images that are read already, in their order.

        Args:
            request: theirs.
            model: that is asked.
            pixels: (size, size, channels) each, in [0, 255].

        Raises:
            Refused: too many images wait already.
        """
        request.state.images = len(pixels)
        with self.engine.room(len(pixels)):
            found = await self.engine.predict(model, pixels)
        self._count(found)
        return found

    def _count(self, said: Sequence[Prediction | BrokenImage]) -> None:
        predicted = [one for one in said if isinstance(one, Prediction)]
        self.metrics.images.labels("predicted").inc(len(predicted))
        self.metrics.images.labels("broken").inc(len(said) - len(predicted))
        for one in predicted:
            self.metrics.predicted.labels(one.label).inc()
            if one.decision is not None:
                self.metrics.decided.labels(one.decision).inc()

    async def _renew(self) -> None:
        told = ""
        while True:
            await asyncio.sleep(self.settings.look_every)
            before = self.current.model.version
            try:
                if await asyncio.to_thread(self.current.renew):
                    self.metrics.reloads.labels("taken").inc()
                    log.info("reload", extra={"fields": {"from": before, "to": self.current.model.version}})
                    self.metrics.model.clear()
                    self._tell_model()
                    told = ""
            except Exception as error:
                # Whatever is wrong with another bundle, this one answers on. What stays wrong is said once.
                if (reason := str(error)) != told:
                    self.metrics.reloads.labels("refused").inc()
                    log.error("reload refused", extra={"fields": {"reason": reason, "still": before}})
                told = reason

    def _tell_model(self) -> None:
        self.metrics.model.labels(self.current.model.name, self.current.model.version).set(1)
