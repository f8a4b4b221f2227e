"""The addresses that classify images and show what speaks for a class."""

import base64
import io
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from smallset.images.broken import BrokenImage
from smallset.inference.results import Prediction
from smallset.service import described
from smallset.service.errors import Refused
from smallset.service.shared import Service
from smallset.service.uploads import received


def add(app: FastAPI, service: Service) -> None:
    """Add `/predict` and `/explain`."""

    @app.post("/predict", summary="Classify images", openapi_extra=described.PREDICT, responses=described.PREDICTED)
    async def predict(request: Request) -> JSONResponse:
        model = service.current.model
        async with received(request, service.settings.most_images) as files:
            found = await service.of_files(request, model, files)
        status = 422 if all(isinstance(one, BrokenImage) for one in found) else 200
        said = [{"index": index, **_fields(one)} for index, one in enumerate(found)]
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


def _fields(one: Prediction | BrokenImage) -> dict[str, Any]:
    """All that is said of an image; place and path are the request's own."""
    if isinstance(one, BrokenImage):
        return {"error": str(one)}
    return {name: value for name, value in asdict(one).items() if name not in ("index", "path")}
