"""What the service answers: the same as the package, whatever else a stranger sends."""

import io
import json
import logging
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

import smallset
from smallset.service.app import make
from smallset.service.gate import JsonLines
from smallset.service.models import Current
from tests.smallset.service.conftest import SETTINGS, image

TOKEN = "a-token-of-some-length"


def form(*files: bytes) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("images", ("secret-name.png", content, "image/png")) for content in files]


def test_predictions_are_those_of_the_package(client: TestClient, bundle: Path) -> None:
    contents = [image(seed=1), image(form="JPEG", seed=2), image(90, 20, seed=3)]
    expected = [one.probabilities for one in smallset.load(bundle).predict(contents)]
    said = client.post("/predict", files=form(*contents)).json()
    assert [one["probabilities"] for one in said["predictions"]] == [pytest.approx(one, abs=1e-6) for one in expected]
    raw = client.post("/predict", content=contents[1], headers={"Content-Type": "image/jpeg"}).json()
    assert raw["predictions"][0]["probabilities"] == pytest.approx(expected[1], abs=1e-6)
    assert raw["predictions"][0]["label"] == max(expected[1], key=expected[1].__getitem__)


def test_an_image_that_cannot_be_read_is_told_in_its_place(client: TestClient) -> None:
    said = client.post("/predict", files=form(image(), b"no image", image(form="JPEG")[:500]))
    assert said.status_code == 200
    assert ["error" in one for one in said.json()["predictions"]] == [False, True, True]
    alone = client.post("/predict", content=b"no image", headers={"Content-Type": "image/png"})
    assert alone.status_code == 422
    assert "not an image" in alone.json()["predictions"][0]["error"]


def wide() -> bytes:
    file = io.BytesIO()
    Image.new("1", (1200, 1200)).save(file, "PNG")
    return file.getvalue()


def test_every_limit_has_its_answer(client: TestClient) -> None:
    def post(**words) -> tuple[int, str]:
        found = client.post("/predict", **words)
        return found.status_code, found.text

    assert post(content=b"")[0] == 400
    assert post(content=b"x" * (1 << 20) + b"x") == (413, '{"error":"expected a body of at most 1,048,576 bytes"}')
    pieces = (b"x" * 100_000 for _ in range(20))  # without a length
    assert post(content=pieces)[0] == 413
    assert post(files=form(*[image()] * 5)) == (413, '{"error":"expected at most 4 images in a request"}')
    assert post(files=[("text", (None, b"no file"))])[0] == 400
    assert post(json={"images": []})[0] == 415
    assert post(content=b"--x\r\nbroken", headers={"Content-Type": "multipart/form-data"})[0] == 400
    assert post(content=b"--x\r\nbroken", headers={"Content-Type": "multipart/form-data; boundary=x"})[0] == 400
    status, said = post(content=wide(), headers={"Content-Type": "image/png"})
    assert status == 422
    assert "pixels" in said
    assert client.get("/predict").json() == {"error": "method not allowed"}
    for path in ("/nothing", "/predict/"):
        assert client.get(path).json() == {"error": "not found"}
    assert client.post("/predict", content=image()).status_code == 200


def test_no_image_of_a_form_is_left_out_in_silence(client: TestClient) -> None:
    """One that breaks off, or is no file, would leave the others with the answers of their neighbours."""

    def post(*parts: bytes) -> tuple[int, str]:
        body = b"".join(b"--x\r\nContent-Disposition: form-data; " + part for part in parts)
        found = client.post("/predict", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
        return found.status_code, found.json().get("error", "")

    file, text = b'name="images"; filename="a"\r\n\r\n' + image() + b"\r\n", b'name="images"\r\n\r\na.jpg\r\n'
    note, end = b'name="note"\r\n\r\nhello\r\n', b"--x--\r\n"
    assert post(file, note, file + end) == (200, "")
    assert post(file, file + end[:-2]) == (200, "")
    for parts in ([file], [file, file], [file, file[:-9]], [file, file + b"--x"]):
        assert post(*parts) == (
            400,
            "expected a whole form of multipart/form-data: it breaks off before its last boundary",
        )
    assert post(file, text, file + end) == (400, "images: expected a file with its name. Received: a text")


def test_too_much_at_once_is_refused_and_later_answered(client: TestClient) -> None:
    engine = client.app.state.service.engine
    engine.waiting = SETTINGS.most_waiting
    refused = client.post("/predict", content=image())
    engine.waiting = 0
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert client.post("/predict", content=image()).status_code == 200


def test_time_that_a_request_may_take_ends(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make(Current(lambda: bundle), replace(SETTINGS, seconds=0.2))
    with TestClient(app, base_url="http://localhost") as asking:
        monkeypatch.setattr(app.state.service.engine._decoders, "read", lambda *_: time.sleep(0.6))
        assert asking.post("/predict", content=image()).status_code == 504
        monkeypatch.undo()
        assert asking.get("/health").status_code == 200
    assert app.state.service.engine.waiting == 0


def test_a_token_guards_all_but_health_and_the_page(bundle: Path) -> None:
    app = make(Current(lambda: bundle), replace(SETTINGS, token=TOKEN))
    with TestClient(app) as asking:
        for path in ("/", "/page.js", "/health", "/ready", "/v2/health/live", "/v2/health/ready"):
            assert asking.get(path).status_code == 200
        for path in ("/metrics", "/openapi.json", "/v2", "/nothing"):
            assert asking.get(path).status_code == 401
        for value in ("", "Bearer", "Bearer other", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xfc"):
            headers = {"Authorization": value.encode("latin-1")}
            assert asking.post("/predict", content=image(), headers=headers).status_code == 401
        assert asking.post("/predict", content=image(), headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_page_of_the_web_cannot_ask_in_the_name_of_this_machine(client: TestClient) -> None:
    mine = ("localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "LOCALHOST.")
    others = (
        "evil.example",
        "127.0.0.1.evil",
        "[::1]evil",
        "[::1].evil:80",
        "localhost:80.evil",
        "a@localhost",
        "",
        "[",
    )
    for host in mine:
        assert client.get("/ready", headers={"Host": host}).status_code == 200
        assert client.post("/predict", content=image(), headers={"Origin": f"http://{host}"}).status_code == 200
    for host in others:
        assert client.get("/ready", headers={"Host": host}).status_code == 421
        for origin in (f"https://{host}", "null", host):
            refused = client.post("/predict", content=image(), headers={"Origin": origin})
            assert refused.status_code == 403
            assert not [name for name in refused.headers if name.startswith("access-control")]


def test_the_log_has_no_name_and_no_content(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("smallset.service").propagate = True
    with caplog.at_level(logging.INFO, "smallset.service"):
        client.post("/predict?secret-query", files=form(image()))
        client.get("/secret-path")
    fields = [record.fields for record in caplog.records]
    assert "secret" not in json.dumps(fields)
    assert [(one["route"], one["status"], one["images"]) for one in fields] == [("/predict", 200, 1), ("other", 404, 0)]


def test_a_fault_of_the_service_is_a_line_of_log_and_a_number(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("smallset.service").propagate = True
    app = make(Current(lambda: bundle), replace(SETTINGS, token=TOKEN))
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Secret": b"secret \x1b[31m"}

    def fail(*_: object) -> None:
        raise RuntimeError("as nobody\n\x1b[31m expects")

    with TestClient(app) as asking, caplog.at_level(logging.INFO, "smallset.service"):
        with monkeypatch.context() as patch:
            patch.setattr(app.state.service.current.model.classifier, "classified", fail)
            said = asking.post("/predict?secret", files=form(image()), headers=headers)
        assert said.status_code == 500
        number = re.fullmatch(r"failed; the service's log has more under ([0-9a-f]{8})", said.json()["error"])
        assert asking.post("/predict", content=image(), headers=headers).status_code == 200
    lines = [JsonLines().format(record) for record in caplog.records]
    assert [json.loads(line)["event"] for line in lines] == ["failed", "request", "request"]
    assert number
    assert json.loads(lines[0])["failure"] == number[1]
    assert "RuntimeError" in lines[0]
    assert not [line for line in lines if "secret" in line or TOKEN in line or not line.isprintable()]


def test_what_operators_ask_for(client: TestClient) -> None:
    client.post("/predict", content=image())
    text = client.get("/metrics").text
    assert 'smallset_requests_total{method="POST",route="/predict",status="200"}' in text
    assert "smallset_waiting_images 0.0" in text
    described = client.get("/openapi.json").json()
    examples = described["paths"]["/predict"]["post"]["responses"]["200"]["content"]["application/json"]["example"]
    assert examples["predictions"][0].keys() >= {"label", "probability", "probabilities"}
    page = client.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_what_speaks_for_a_class_is_an_image(client: TestClient) -> None:
    said = client.post("/explain", content=image())
    assert said.status_code == 200
    assert said.json()["image"].startswith("data:image/jpeg;base64,")
    assert client.post("/explain", content=b"no image").status_code == 422


def test_another_bundle_takes_over_and_a_damaged_one_does_not(bundle: Path, tmp_path: Path) -> None:
    place = tmp_path / "served"
    shutil.copytree(bundle, place)
    app = make(Current(lambda: place), SETTINGS)

    def swap(change) -> None:
        other = tmp_path / "other"
        shutil.copytree(bundle, other)
        file = other / "classifier.json"
        file.write_text(json.dumps(change(json.loads(file.read_text()))))
        place.rename(tmp_path / f"old-{time.monotonic_ns()}")
        other.rename(place)

    def version(wanted: str) -> str:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            assert asking.post("/predict", content=image()).status_code == 200
            if (found := asking.get("/ready").json())["model"] == wanted:
                return found["version"]
        raise AssertionError(f"{wanted} is not in use after five seconds")

    with TestClient(app, base_url="http://localhost") as asking:
        first = asking.get("/ready").json()["version"]
        swap(lambda about: about | {"model": "promoted"})
        assert version("promoted") != first
        swap(lambda about: about | {"model": "damaged", "interpolation": "nearest"})  # reads other pixels
        until = time.monotonic() + 5
        while 'smallset_reloads_total{result="refused"}' not in asking.get("/metrics").text:
            assert time.monotonic() < until
            assert asking.post("/predict", content=image()).status_code == 200
        assert asking.get("/ready").json()["model"] == "promoted"
        swap(lambda about: about | {"model": "third"})
        version("third")
