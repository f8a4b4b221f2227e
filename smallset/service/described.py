"""What `/openapi.json` says of requests and answers, with examples."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any

from smallset.service.uploads import FIELD

SUMMARY = "Classify images with one bundle. Errors are objects with the key error."
_BINARY = {"type": "string", "format": "binary"}
_FORM = {"type": "object", "properties": {FIELD: {"type": "array", "items": _BINARY}}, "required": [FIELD]}
PREDICT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": _FORM}, "image/*": {"schema": _BINARY}},
    }
}
_PREDICTION = {
    "index": 0,
    "label": "cat",
    "probability": 0.97,
    "probabilities": {"cat": 0.97, "dog": 0.03},
    "decision": "sure",
    "distance": 2.3,
}
_BROKEN = {"index": 1, "error": "not an image, or of an unknown format"}
_ANSWER = {"model": "fine_tuned", "version": "1f0c2a9b7d3e", "predictions": [_PREDICTION, _BROKEN]}


def _error(description: str, message: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"example": {"error": message}}}}


PREDICTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A prediction of each image, in their order, or why there is none.",
        "content": {"application/json": {"example": _ANSWER}},
    },
    400: _error("Not a whole form, or no image.", f"expected at least one file in the form, called {FIELD}"),
    401: _error("Without the token.", "expected the header Authorization: Bearer TOKEN"),
    413: _error("Too many bytes or images.", "expected at most 32 images in a request"),
    415: _error("Of a type that holds no image.", "expected multipart/form-data, or the bytes of one image"),
    422: {"description": "No image could be read.", "content": {"application/json": {"example": _ANSWER}}},
    503: _error("Too much waits; try again as Retry-After says.", "256 images wait already: try again in a second"),
    504: _error("Took too long.", "took more than 30 seconds"),
}
INFER: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {
                    "id": "1",
                    "inputs": [{"name": "images", "shape": [1], "datatype": "BYTES", "data": ["/9j/4AAQ..."]}],
                    "outputs": [{"name": "probabilities"}],
                },
            }
        },
    }
}


def version() -> str:
    """Of the package."""
    try:
        return installed("smallset")
    except PackageNotFoundError:
        return "0"  # run from a clone that is not installed
