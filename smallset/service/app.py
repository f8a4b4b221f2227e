"""The application: every address, and what errors are answered with."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from smallset.errors import TemporaryError
from smallset.service import described, operations, predictions, protocol
from smallset.service.gate import Gate
from smallset.service.models import Current
from smallset.service.settings import Settings
from smallset.service.shared import Service


def make(current: Current, settings: Settings) -> FastAPI:
    """The application around a model.

    Args:
        current: the model, and what takes another one.
        settings: of the service.
    """
    service = Service(current, settings)
    # The pages of FastAPI load their scripts from elsewhere; a redirect would repeat the caller's word of where it is.
    app = FastAPI(
        title="smallset serve",
        description=described.SUMMARY,
        version=described.version(),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=service.lifespan,
    )
    app.state.service = service
    for part in (predictions, protocol, operations):
        part.add(app, service)
    # It also answers what is refused.
    app.add_middleware(Gate, settings=settings, metrics=service.metrics)

    @app.exception_handler(TemporaryError)
    async def temporary(_: Request, error: TemporaryError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 503, {"Retry-After": "2"})

    @app.exception_handler(HTTPException)
    async def of_http(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail.lower()}, error.status_code, error.headers)

    return app
