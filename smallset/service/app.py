"""The application: what is asked at which address."""

import asyncio
import base64
import io
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from smallset.errors import TemporaryError
from smallset.images.files import BrokenImage
from smallset.inference.results import Prediction
from smallset.service import described, open_inference
from smallset.service.engine import Engine
from smallset.service.errors import Refused
from smallset.service.gate import Gate
from smallset.service.metrics import Metrics
from smallset.service.models import Current, Model
from smallset.service.settings import Settings
from smallset.service.uploads import received

log = logging.getLogger("smallset.service")
_PAGE = Path(__file__).parent / "page"
_FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}


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

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.settings.look_every)
            before = self.current.model.version
            try:
                if await asyncio.to_thread(self.current.renew):
                    self.metrics.reloads.labels("taken").inc()
                    log.info("reload", extra={"fields": {"from": before, "to": self.current.model.version}})
                    self.metrics.model.clear()
                    self._tell_model()
            except Exception as error:
                # Whatever is wrong with another bundle, this one answers on.
                self.metrics.reloads.labels("refused").inc()
                log.error("reload refused", extra={"fields": {"reason": str(error), "still": before}})

    def _tell_model(self) -> None:
        self.metrics.model.labels(self.current.model.name, self.current.model.version).set(1)

    async def predict(self, request: Request, model: Model, files: list[Path]) -> list[dict[str, Any]]:
        """What is said of each file: a prediction, or why there is none."""
        request.state.images = len(files)
        with self.engine.room(len(files)):
            read = await self.engine.read(model, files)
            readable = [one for one in read if isinstance(one, np.ndarray)]
            found = iter(await self.engine.predict(model, readable))
        said: list[dict[str, Any]] = []
        for index, one in enumerate(read):
            if isinstance(one, BrokenImage):
                said.append({"index": index, "error": str(one)})
            else:
                said.append({"index": index, **_fields(prediction := next(found))})
                self.metrics.predicted.labels(prediction.label).inc()
        self.metrics.images.labels("predicted").inc(len(readable))
        self.metrics.images.labels("broken").inc(len(read) - len(readable))
        return said


def make(current: Current, settings: Settings) -> FastAPI:
    """The application around a model.

    Args:
        current: the model, and what takes another one.
        settings: of the service.
    """
    service = Service(current, settings)
    # The pages of FastAPI load their scripts from elsewhere.
    app = FastAPI(
        title="smallset serve",
        description=described.SUMMARY,
        version=current.model.version,
        docs_url=None,
        redoc_url=None,
        lifespan=service.lifespan,
    )
    app.state.service = service
    _add_predictions(app, service)
    _add_protocol(app, service)
    _add_operations(app, service)
    app.add_middleware(Gate, settings=settings, metrics=service.metrics)

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"error": error.message}, error.status, error.headers)

    @app.exception_handler(TemporaryError)
    async def temporary(_: Request, error: TemporaryError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 503, {"Retry-After": "2"})

    return app


def _add_predictions(app: FastAPI, service: Service) -> None:
    @app.post("/predict", summary="Classify images", openapi_extra=described.PREDICT, responses=described.PREDICTED)
    async def predict(request: Request) -> JSONResponse:
        model = service.current.model
        async with received(request, service.settings.most_images) as files:
            said = await service.predict(request, model, files)
        status = 422 if all("error" in one for one in said) else 200
        return JSONResponse({"model": model.name, "version": model.version, "predictions": said}, status)

    @app.post("/explain", summary="Show what speaks for the predicted class", openapi_extra=described.PREDICT)
    async def explain(request: Request) -> JSONResponse:
        from smallset.explanation.heat import heat_of, overlay

        model = service.current.model
        async with received(request, 1) as files:
            with service.engine.room(1):
                request.state.images = 1
                (pixels,) = await service.engine.read(model, files)
                if isinstance(pixels, BrokenImage):
                    raise Refused(422, str(pixels))
                (found,) = await service.engine.predict(model, [pixels])
                heat = await service.engine.explain(lambda: heat_of(model.classifier, pixels, found.label))
        file = io.BytesIO()
        overlay(pixels, heat).save(file, "JPEG", quality=90)
        image = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
        said = {"model": model.name, "version": model.version, "prediction": _fields(found)}
        return JSONResponse(said | {"explained": bool(heat.any()), "image": image})


def _add_protocol(app: FastAPI, service: Service) -> None:
    def model_of(name: str, version: str | None) -> Model:
        model = service.current.model
        if name != model.name or version not in (None, model.version):
            raise Refused(404, f"expected the model {model.name}, version {model.version}")
        return model

    @app.get("/v2", summary="Server metadata")
    async def server() -> dict[str, Any]:
        return {"name": "smallset", "version": described.version(), "extensions": []}

    @app.get("/v2/models/{name}", summary="Model metadata")
    @app.get("/v2/models/{name}/versions/{version}", summary="Model metadata of a version")
    async def metadata(name: str, version: str | None = None) -> dict[str, Any]:
        model = model_of(name, version)
        return open_inference.metadata(model.name, model.version, model.classifier.description)

    @app.get("/v2/models/{name}/ready", summary="Whether the model answers")
    @app.get("/v2/models/{name}/versions/{version}/ready", summary="Whether a version answers")
    async def ready(name: str, version: str | None = None) -> Response:
        model_of(name, version)
        return Response(status_code=200 if service.is_ready else 503)

    @app.post("/v2/models/{name}/infer", summary="Infer", openapi_extra=described.INFER)
    @app.post("/v2/models/{name}/versions/{version}/infer", summary="Infer", openapi_extra=described.INFER)
    async def infer(request: Request, name: str, version: str | None = None) -> JSONResponse:
        model = model_of(name, version)
        if "inference-header-content-length" in request.headers:
            raise Refused(400, "tensors in binary are not taken: send them as JSON")
        about, most = model.classifier.description, service.settings.most_images
        asked = await asyncio.to_thread(open_inference.parse, await request.body(), about, most)
        count = len(asked.files) if asked.pixels is None else len(asked.pixels)
        request.state.images = count
        async with AsyncExitStack() as stack:
            stack.enter_context(service.engine.room(count))
            pixels: list[Any] = list(asked.pixels) if asked.pixels is not None else []
            if asked.files:
                folder = Path(stack.enter_context(TemporaryDirectory(prefix="smallset-images-")))
                files = [folder / str(index) for index in range(count)]
                for file, content in zip(files, asked.files, strict=True):
                    file.write_bytes(content)
                pixels = await service.engine.read(model, files)
            for index, one in enumerate(pixels):
                if isinstance(one, BrokenImage):
                    raise Refused(422, f"image {index}: {one}")
            found = await service.engine.predict(model, pixels)
        service.metrics.images.labels("predicted").inc(count)
        return JSONResponse(open_inference.answer(model.name, model.version, asked, found))


def _add_operations(app: FastAPI, service: Service) -> None:
    @app.get("/v2/health/live", summary="Whether the process answers")
    @app.get("/health", summary="Whether the process answers")
    async def health() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/v2/health/ready", summary="Whether requests are answered")
    @app.get("/ready", summary="Whether requests are answered")
    async def ready() -> JSONResponse:
        model = service.current.model
        said = {"status": "ready" if service.is_ready else "not ready", "model": model.name, "version": model.version}
        return JSONResponse(said, 200 if service.is_ready else 503)

    @app.get("/metrics", summary="For Prometheus")
    async def metrics() -> Response:
        service.metrics.waiting.set(service.engine.waiting)
        return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    for path, (name, kind) in _FILES.items():
        content = (_PAGE / name).read_bytes()
        app.add_api_route(path, _giving(content, kind), include_in_schema=False)


def _giving(content: bytes, kind: str) -> Any:
    async def give() -> Response:
        return Response(content, media_type=kind)

    return give


def _fields(one: Prediction) -> dict[str, Any]:
    """All that a prediction says; place and path are the request's own."""
    return {name: value for name, value in asdict(one).items() if name not in ("index", "path")}
