"""A service of a bundle with limits says sure, unsure and unknown, wherever it is asked; of one without it does not."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import smallset
from smallset.service.app import make
from smallset.service.models import Current
from tests.smallset.service.conftest import SETTINGS

Doubting = tuple[Path, dict[str, bytes]]


@pytest.fixture(scope="module")
def asking(doubting: Doubting) -> Iterator[TestClient]:
    with TestClient(make(Current(lambda: doubting[0]), SETTINGS), base_url="http://127.0.0.1") as client:
        yield client


def infer(asking: TestClient, contents: list[bytes], **more) -> dict[str, dict]:
    address = f"/v2/models/{asking.get('/ready').json()['model']}/infer"
    data = [base64.b64encode(one).decode() for one in contents]
    tensor = {"name": "images", "shape": [len(data)], "datatype": "BYTES", "data": data}
    said = asking.post(address, json={"inputs": [tensor]} | more)
    assert said.status_code == 200, said.text
    return {one["name"]: one for one in said.json()["outputs"]}


def test_predictions_are_decided_as_by_the_package(asking: TestClient, doubting: Doubting) -> None:
    place, images = doubting
    files = [("images", (name, content, "image/png")) for name, content in images.items()]
    said = asking.post("/predict", files=files).json()["predictions"]
    assert [one["decision"] for one in said] == ["sure", "unsure", "unknown"]
    expected = smallset.load(place).predict(images.values())
    assert [one["distance"] for one in said] == pytest.approx([one.distance for one in expected], rel=1e-5)
    assert [one["label"] for one in said] == [one.label for one in expected]
    for content, decision in zip(images.values(), images, strict=True):
        assert asking.post("/explain", content=content).json()["prediction"]["decision"] == decision


def test_the_protocol_has_decisions_as_an_output(asking: TestClient, doubting: Doubting) -> None:
    contents = list(doubting[1].values())
    outputs = infer(asking, contents)
    assert list(outputs) == ["probabilities", "labels", "decisions"]
    decided = {"name": "decisions", "datatype": "BYTES", "shape": [3], "data": ["sure", "unsure", "unknown"]}
    assert outputs["decisions"] == decided
    assert outputs["probabilities"]["shape"] == [3, 3]  # the distance is none of them
    assert infer(asking, contents, outputs=[{"name": "decisions"}]) == {"decisions": decided}
    pixels = [smallset.load(doubting[0]).read(one).tolist() for one in contents]
    tensor = {"name": "images", "shape": [3, 32, 32, 3], "datatype": "UINT8", "data": pixels}
    address = f"/v2/models/{asking.get('/ready').json()['model']}"
    said = asking.post(f"{address}/infer", json={"inputs": [tensor], "outputs": [{"name": "decisions"}]}).json()
    assert said["outputs"] == [decided]
    assert asking.get(address).json()["outputs"][-1] == {"name": "decisions", "datatype": "BYTES", "shape": [-1]}


def test_a_bundle_without_limits_has_no_decisions(client: TestClient, doubting: Doubting) -> None:
    content = doubting[1]["sure"]
    assert list(infer(client, [content])) == ["probabilities", "labels"]
    name = client.get("/ready").json()["model"]
    assert "decisions" not in client.get(f"/v2/models/{name}").text
    tensor = {"name": "images", "shape": [1], "datatype": "BYTES", "data": [base64.b64encode(content).decode()]}
    said = client.post(f"/v2/models/{name}/infer", json={"inputs": [tensor], "outputs": [{"name": "decisions"}]})
    assert said.status_code == 400
    assert "expected some of probabilities, labels" in said.json()["error"]
    assert client.post("/predict", content=content).json()["predictions"][0]["decision"] is None


def test_decisions_are_counted(asking: TestClient, doubting: Doubting) -> None:
    for content in doubting[1].values():
        asking.post("/predict", content=content)
    infer(asking, list(doubting[1].values()))
    text = asking.get("/metrics").text
    for decision in doubting[1]:
        (line,) = [
            one for one in text.splitlines() if one.startswith(f'smallset_decisions_total{{decision="{decision}"}}')
        ]
        assert float(line.split()[-1]) >= 2
