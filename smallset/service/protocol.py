"""The addresses of the Open Inference Protocol, version 2."""

import asyncio
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from smallset.images.broken import BrokenImage
from smallset.inference.results import Prediction
from smallset.service import described, open_inference
from smallset.service.errors import Refused
from smallset.service.models import Model
from smallset.service.shared import Service
from smallset.service.uploads import as_files, whole_body


def add(app: FastAPI, service: Service) -> None:
    """Add `/v2` and what lies below it."""
    # Python's numbers take many times the bytes of a body: one is read at a time.
    parsing = asyncio.Semaphore(1)

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
        async with whole_body(request) as body, parsing:
            asked = await asyncio.to_thread(lambda: open_inference.parse(body.read_bytes(), about, most))
        found: list[Prediction] = []
        for index, one in enumerate(await _answered(request, service, model, asked)):
            if isinstance(one, BrokenImage):
                raise Refused(422, f"image {index}: {one}")
            found.append(one)
        return JSONResponse(open_inference.answer(model.name, model.version, asked, found))


async def _answered(
    request: Request, service: Service, model: Model, asked: open_inference.Request
) -> list[Prediction | BrokenImage]:
    if asked.pixels is not None:
        return [*await service.of_pixels(request, model, list(asked.pixels))]
    with as_files(asked.files) as files:
        return await service.of_files(request, model, files)
