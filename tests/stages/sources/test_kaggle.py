"""Kaggle's client in every mood: what went wrong and how to mend it is one line."""

import zipfile
from pathlib import Path

import kagglehub
import pytest
import requests
from kagglehub import exceptions

from stages.download import DownloadParams, download
from stages.lib.core.errors import UserError
from stages.lib.core.params import CommonParams
from stages.lib.sources import kaggle


def http_error(status: int) -> Exception:
    response = requests.Response()
    response.status_code = status
    return exceptions.KaggleApiHTTPError(f"{status} Client Error.\n\nYou don't have permission", response=response)


def answering(monkeypatch: pytest.MonkeyPatch, answer: Exception | Path) -> list[str]:
    asked: list[str] = []

    def competition_download(handle: str) -> str:
        asked.append(handle)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    monkeypatch.setattr(kagglehub, "competition_download", competition_download)
    return asked


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (exceptions.UnauthenticatedError(), ["no credentials", "KAGGLE_API_TOKEN", "kaggle.com/settings"]),
        (http_error(401), ["credentials are not accepted", "KAGGLE_API_TOKEN"]),
        (http_error(403), ["rules of birds are not accepted", "https://www.kaggle.com/competitions/birds/rules"]),
        (http_error(404), ["download.competition", "competitions/birds does not exist"]),
        (http_error(503), ["the server answered 503", "again later"]),
        (requests.ConnectionError("Max retries exceeded"), ["cannot be reached", "check the network"]),
        (requests.Timeout(), ["cannot be reached"]),
        (exceptions.DataCorruptionError("a\nb"), ["birds arrived damaged", "run again"]),
        (zipfile.BadZipFile("Bad magic number"), ["birds arrived damaged", "run again"]),
        (ValueError("Invalid Kaggle credentials file at kaggle.json"), ["kaggle.json", "KAGGLE_API_TOKEN"]),
    ],
)
def test_what_went_wrong_is_one_line(error: Exception, parts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, error)
    with pytest.raises(UserError) as caught:
        kaggle.fetch("birds")
    assert "\n" not in str(caught.value)
    assert all(part in str(caught.value) for part in parts)


def test_without_credentials_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kaggle's own client, on a machine that has never heard of Kaggle."""
    for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="found no credentials"):
        kaggle.fetch("birds")


def test_a_competition_without_training_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.csv").touch()
    answering(monkeypatch, tmp_path)
    with pytest.raises(UserError, match=r"expected train\.zip in birds, found train\.csv"):
        kaggle.fetch("birds")


@pytest.mark.parametrize("place", ["train.zip", "data/train.zip"])
def test_the_inner_archive_becomes_the_raw_one(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inner = tmp_path / "cache" / place
    inner.parent.mkdir(parents=True)
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("train/dog.0.jpg", b"dog")
        archive.writestr("train/cat.0.jpg", b"cat")
    asked = answering(monkeypatch, tmp_path / "cache")
    common = CommonParams(
        seed=1, deterministic=False, image_size=32, batch_size=8, resize="stretch", interpolation="bilinear"
    )
    params = DownloadParams(
        path="sources",
        source="kaggle",
        sample_per_class=1,
        competition="birds",
        url=None,
        sha256=None,
        max_gigabytes=1,
        max_hours=1,
        links="inside",
    )
    download(tmp_path / "raw.zip", common, params)
    assert asked == ["birds"]
    with zipfile.ZipFile(tmp_path / "raw.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "train/cat.0.jpg": b"cat",
            "train/dog.0.jpg": b"dog",
        }
