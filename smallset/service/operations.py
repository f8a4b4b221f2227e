"""The addresses for whoever watches over a service, and the page for people."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from smallset.service.shared import Service

_PAGE = Path(__file__).parent / "page"
_FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}


def add(app: FastAPI, service: Service) -> None:
    """Add health, readiness, metrics and the page."""

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
