"""Which bundle a service takes, and when: never a part of one, and always the whole one in the end."""

import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from smallset.errors import UserError
from smallset.service import models
from smallset.service.app import make
from smallset.service.models import Current
from tests.smallset.service.conftest import SETTINGS, image


@pytest.fixture
def place(bundle: Path, tmp_path: Path) -> Path:
    return shutil.copytree(bundle, tmp_path / "served", ignore=shutil.ignore_patterns("model.keras"))


def renamed(bundle: Path, model: str) -> None:
    """Make another version of a bundle, in its place."""
    file = bundle / "classifier.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"model": model}))


def temporary(folder: Path) -> Iterator[Path]:
    return folder.glob("smallset-*")


@pytest.mark.parametrize("last", ["golden/plain.jpg", "golden/examples.json", "model.tflite", "classifier.json"])
def test_a_bundle_that_arrives_file_by_file_is_taken_once_it_is_whole(
    place: Path, bundle: Path, last: str, tmp_path: Path
) -> None:
    current = Current(lambda: place)
    renamed(place, "other")
    kept = tmp_path / "kept"
    (place / last).rename(kept)
    with pytest.raises(UserError):
        current.renew()
    assert not current.renew()  # what is refused is not tried again at every look
    assert current.model.name != "other"
    kept.rename(place / last)
    assert current.renew()
    assert current.model.name == "other"


def test_what_was_refused_is_tried_again_later(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    current = Current(lambda: place)
    renamed(place, "other")
    with monkeypatch.context() as patch:
        patch.setattr(models.shutil, "copyfile", lambda *_: os.truncate("/no/such/disk", 0))
        with pytest.raises(UserError, match="No such file"):
            current.renew()
    assert not current.renew()
    monkeypatch.setattr(models, "_AGAIN", -1.0)
    current._refused_until = 0.0
    assert current.renew()


def test_nothing_but_files_is_copied(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.tempfile, "tempdir", str(tmp_path))
    os.mkfifo(place / "golden" / "pipe")
    (place / "golden" / "endless").symlink_to("/dev/zero")
    (place / "golden" / "folder").mkdir()
    found = models.load(place)
    copied = {file.name for file in Path(found.folder.name).rglob("*")}
    assert not {"pipe", "endless", "folder", "model.keras"} & copied
    shutil.rmtree(place)
    assert found.classifier.predict(image())  # nobody can take away what is in use
    del found
    assert not list(temporary(tmp_path))


def test_a_bundle_that_is_gone_is_told_once_and_answers_on(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    def find() -> Path:
        if not place.is_dir():
            raise UserError("gone \x1b[31m")
        return place

    logging.getLogger("smallset.service").propagate = True
    app = make(Current(find), SETTINGS)
    away = place.with_name("away")
    with TestClient(app, base_url="http://localhost") as asking, caplog.at_level(logging.ERROR, "smallset.service"):
        place.rename(away)
        time.sleep(0.5)  # ten looks
        assert asking.post("/predict", content=image()).status_code == 200
        assert [record.fields["reason"] for record in caplog.records] == ["gone \x1b[31m"]
        renamed(away, "back")
        away.rename(place)
        until = time.monotonic() + 5
        while asking.get("/ready").json()["model"] != "back":
            assert time.monotonic() < until
        place.rename(away)
        time.sleep(0.2)
        assert len(caplog.records) == 2  # gone once more


def test_memory_and_disk_do_not_grow_with_the_versions(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.tempfile, "tempdir", str(tmp_path))
    current = Current(lambda: place)
    for number in range(5):
        renamed(place, f"version {number}")
        assert current.renew()
        assert len(list(temporary(tmp_path))) == 1
