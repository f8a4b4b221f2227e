"""The Open Inference Protocol: each kind of tensor, and what is no tensor."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import smallset
from tests.smallset.service.conftest import image


def tensor(data: Any, shape: list[int], kind: str) -> dict[str, Any]:
    return {"inputs": [{"name": "images", "shape": shape, "datatype": kind, "data": data}]}


@pytest.fixture(scope="module")
def address(client: TestClient) -> str:
    return f"/v2/models/{client.get('/ready').json()['model']}"


def test_each_kind_of_tensor_gives_what_the_package_gives(client: TestClient, address: str, bundle: Path) -> None:
    classifier = smallset.load(bundle)
    contents = [image(seed=4), image(seed=5)]
    found = classifier.predict(contents)
    expected = [value for one in found for value in one.probabilities.values()]
    pixels = np.stack([classifier.read(one) for one in contents])
    shape = list(pixels.shape)
    bodies = [
        tensor(pixels.tolist(), shape, "UINT8"),
        tensor(pixels.ravel().tolist(), shape, "UINT8"),
        tensor(pixels.astype(float).tolist(), shape, "FP32"),
        tensor([base64.b64encode(one).decode() for one in contents], [2], "BYTES"),
    ]
    for body in bodies:
        said = client.post(f"{address}/infer", json=body | {"id": "seven"}).json()
        outputs = {one["name"]: one for one in said["outputs"]}
        assert outputs["probabilities"]["shape"] == [2, 3]
        assert outputs["probabilities"]["data"] == pytest.approx(expected, abs=1e-6)
        assert outputs["labels"]["data"] == [one.label for one in found]
        assert said["id"] == "seven"
    only = client.post(f"{address}/infer", json=bodies[3] | {"outputs": [{"name": "labels"}]}).json()
    assert [one["name"] for one in only["outputs"]] == ["labels"]


def test_the_model_is_described(client: TestClient, address: str) -> None:
    about = client.get(address).json()
    assert about["inputs"][0] == {"name": "images", "datatype": "UINT8", "shape": [-1, 32, 32, 3]}
    version = about["versions"][0]
    assert client.get(f"{address}/versions/{version}/ready").status_code == 200
    assert client.get(f"{address}/versions/other").status_code == 404
    assert client.get("/v2/models/other/ready").status_code == 404
    assert client.get("/v2").json()["name"] == "smallset"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[" * 30_000, 400),
        ("[" * 100_000, 413),
        ("[[]," * 20_000, 413),
        ("[]", 400),
        ({}, 400),
        ({"inputs": []}, 400),
        (tensor([0] * 3072, [1, 32, 32, 3], "INT64"), 400),
        (tensor([0] * 3072, [1, 32, 32, 3], ["UINT8"]), 400),
        (tensor([0] * 3072, [1, 3, 32, 32], "UINT8"), 400),
        (tensor([0] * 3071, [1, 32, 32, 3], "UINT8"), 400),
        (tensor([256] * 3072, [1, 32, 32, 3], "UINT8"), 400),
        (tensor([0.5] * 3072, [1, 32, 32, 3], "UINT8"), 400),
        (tensor([True] * 3072, [1, 32, 32, 3], "UINT8"), 400),
        (tensor(["1"] * 3072, [1, 32, 32, 3], "FP32"), 400),
        (tensor([[1], [1, 2]], [1, 32, 32, 3], "FP32"), 400),
        (tensor([10**100] * 3072, [1, 32, 32, 3], "FP32"), 400),
        (tensor([], [0], "BYTES"), 400),
        (tensor(["?"], [1], "BYTES"), 400),
        (tensor([7], [1], "BYTES"), 400),
        (tensor(["aGVsbG8="], [1], "BYTES"), 422),
        (tensor(["aGVsbG8="] * 5, [5], "BYTES"), 413),
        (tensor(["aGVsbG8="], [1], "BYTES") | {"outputs": [{"name": "other"}]}, 400),
        (tensor(["aGVsbG8="], [1], "BYTES") | {"id": 7}, 400),
        (tensor(["aGVsbG8="], [1], "BYTES") | {"id": "\ud800"}, 400),
        ({"inputs": [{"name": "\ud800"}]}, 400),
    ],
)
def test_what_is_no_tensor_is_refused(client: TestClient, address: str, body: Any, status: int) -> None:
    said = client.post(f"{address}/infer", content=body if isinstance(body, str) else json.dumps(body))
    assert said.status_code == status
    assert said.json()["error"]
    nan = '{"inputs": [{"name": "images", "shape": [1, 32, 32, 3], "datatype": "FP32", "data": [NaN]}]}'
    assert client.post(f"{address}/infer", content=nan).status_code == 400
