"""The Open Inference Protocol, version 2, as Triton and KServe speak it: tensors in JSON.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

import base64
import binascii
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from safety.text import is_utf8
from smallset.images.decode import CHANNELS
from smallset.inference.bundle import Description
from smallset.inference.results import Prediction
from smallset.service.errors import Refused

_TYPES = {"UINT8": np.uint8, "FP32": np.float32}
_MOST_OTHERS = 1000  # parts of a request that are no pixels
_MOST_TEXT = 200  # letters of a stranger's word that an answer repeats


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        identity: of the request, given back.
        pixels: (images, size, size, channels), uint8 or float32 in [0, 255]; None where `files` are given.
        files: bytes of image files.
        outputs: names of those that are wanted.
    """

    identity: str | None
    pixels: np.ndarray | None
    files: list[bytes]
    outputs: tuple[str, ...]


def metadata(name: str, version: str, about: Description) -> dict[str, Any]:
    """What the model takes and gives."""
    size = about.image_size
    outputs = [
        {"name": "probabilities", "datatype": "FP64", "shape": [-1, len(about.classes)]},
        {"name": "labels", "datatype": "BYTES", "shape": [-1]},
        {"name": "decisions", "datatype": "BYTES", "shape": [-1]},
    ]
    return {
        "name": name,
        "versions": [version],
        "platform": "smallset_litert",
        "inputs": [
            {"name": "images", "datatype": "UINT8", "shape": [-1, size, size, CHANNELS[about.color]]},
            {"name": "images", "datatype": "FP32", "shape": [-1, size, size, CHANNELS[about.color]]},
            {"name": "images", "datatype": "BYTES", "shape": [-1]},
        ],
        "outputs": [one for one in outputs if one["name"] in _outputs_of(about)],
    }


def parse(body: bytes, about: Description, most_images: int) -> Request:
    """Read a request.

    Args:
        body: of the request.
        about: the model that is asked.
        most_images: of a request.

    Raises:
        Refused: it is no JSON, or not what the protocol and the model take.
    """
    # Before it is parsed, as Python's objects take up to thirty times the bytes of what they are made from.
    most = 3 * most_images * about.image_size**2 * CHANNELS[about.color] + _MOST_OTHERS
    if (parts := sum(map(body.count, (b",", b"[", b"{")))) > most:
        raise Refused(
            413, f"expected JSON of at most {most:,} parts, as {most_images} images have. Received: {parts:,}"
        )
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"expected JSON: {str(error)[:_MOST_TEXT]}") from None
    inputs = found.get("inputs") if isinstance(found, dict) else None
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise Refused(400, "expected an object with inputs: a list of one tensor called images")
    identity, (tensor,) = found.get("id"), inputs
    if not isinstance(identity, str | None) or not is_utf8(identity):
        raise Refused(400, "id: expected a text of whole characters")
    if tensor.get("name") != "images":
        raise Refused(400, f"expected the input images. Received: {_told(tensor.get('name'))}")
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not shape or not all(type(one) is int and one > 0 for one in shape):
        raise Refused(400, f"shape: expected a list of numbers above 0. Received: {_told(shape)}")
    if shape[0] > most_images:
        raise Refused(413, f"expected at most {most_images} images in a request. Received: {_told(shape[0])}")
    outputs = _outputs(found.get("outputs"), _outputs_of(about))
    if tensor.get("datatype") == "BYTES":
        return Request(identity, None, _files(tensor.get("data"), shape), outputs)
    return Request(identity, _pixels(tensor, shape, about), [], outputs)


def answer(name: str, version: str, request: Request, found: list[Prediction]) -> dict[str, Any]:
    """The answer of a request, of the outputs that it wants.

    Args:
        name: of the model.
        version: of its bundle.
        request: as it was read.
        found: a prediction per image, at least one.
    """
    values = [value for one in found for value in one.probabilities.values()]
    classes = len(found[0].probabilities)
    every: dict[str, dict[str, Any]] = {
        "probabilities": {"datatype": "FP64", "shape": [len(found), classes], "data": values},
        "labels": {"datatype": "BYTES", "shape": [len(found)], "data": [one.label for one in found]},
        "decisions": {"datatype": "BYTES", "shape": [len(found)], "data": [one.decision for one in found]},
    }
    outputs = [{"name": wanted, **every[wanted]} for wanted in request.outputs]
    said = {"model_name": name, "model_version": version, "outputs": outputs}
    return said if request.identity is None else said | {"id": request.identity}


def _outputs_of(about: Description) -> tuple[str, ...]:
    """Names of what can be asked for: decisions only of a bundle that takes some."""
    return ("probabilities", "labels") if about.decisions is None else ("probabilities", "labels", "decisions")


def _outputs(wanted: Any, known: tuple[str, ...]) -> tuple[str, ...]:
    if wanted is None:
        return known
    names = [one.get("name") if isinstance(one, dict) else None for one in wanted] if isinstance(wanted, list) else []
    if not names or any(name not in known for name in names) or len(set(names)) != len(names):
        raise Refused(400, f"outputs: expected some of {', '.join(known)}. Received: {_told(wanted)}")
    return tuple(map(str, names))


def _files(data: Any, shape: list[int]) -> list[bytes]:
    if len(shape) != 1 or not isinstance(data, list) or len(data) != shape[0]:
        raise Refused(400, f"data: expected {shape[0]} images in base64, with the shape [{shape[0]}]")
    try:
        return [base64.b64decode(one, validate=True) for one in data]
    except (TypeError, ValueError, binascii.Error):
        raise Refused(400, "data: expected the bytes of each image in base64") from None


def _pixels(tensor: dict[str, Any], shape: list[int], about: Description) -> np.ndarray:
    kind, size = tensor.get("datatype"), about.image_size
    if not isinstance(kind, str) or kind not in _TYPES:
        raise Refused(400, f"datatype: expected UINT8, FP32 or BYTES. Received: {_told(kind)}")
    expected = [shape[0], size, size, CHANNELS[about.color]]
    if shape != expected:
        raise Refused(400, f"shape: expected {expected}. Received: {_told(shape)}")
    try:
        values = np.array(tensor.get("data"))
    except (ValueError, OverflowError, RecursionError):
        raise Refused(400, "data: expected numbers, in one list or nested as the shape says") from None
    fits = values.size == math.prod(expected) and list(values.shape) in (expected, [values.size])
    if values.dtype.kind not in "iuf" or not fits:
        raise Refused(400, f"data: expected {math.prod(expected)} numbers. Received: {values.size} of {values.dtype}")
    if not ((values >= 0) & (values <= 255)).all():
        raise Refused(400, "data: expected numbers from 0 to 255")
    if kind == "UINT8" and values.dtype.kind == "f":
        raise Refused(400, "data: expected whole numbers for UINT8")
    return values.astype(_TYPES[kind]).reshape(expected)


def _told(value: Any) -> str:
    return repr(value)[:_MOST_TEXT]
