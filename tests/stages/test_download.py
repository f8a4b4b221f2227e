"""Whatever the source, one raw archive; equal pictures give equal archives."""

import hashlib
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from stages.download import DownloadParams, download
from stages.lib import source_url
from stages.lib.errors import UserError
from stages.lib.params import CommonParams
from stages.lib.pictures import decode

BY_FOLDER = {"birds/robin/1.jpg": b"robin", "birds/wren/1.jpg": b"wren", "birds/wren/ä.jpg": b"another"}
BY_NUMBER = {"train/cat.0.jpg": b"cat", "train/dog.0.jpg": b"dog"}


@pytest.fixture(autouse=True)
def _project(elsewhere: None) -> None:
    Path("pictures").mkdir()
    Path("pictures/README.md").write_text("Put your pictures here.")


def run(common: CommonParams, path: str | Path = "pictures", **changes: object) -> dict[str, bytes]:
    """Run the stage; returns what the raw archive holds."""
    values = {"path": str(path), "source": "sample", "sample_per_class": 2, "competition": "c"}
    params = DownloadParams.model_validate(values | {"url": None, "sha256": None} | changes)
    download(Path(path), Path("raw.zip"), common, params)
    with zipfile.ZipFile("raw.zip") as archive:
        assert archive.namelist() == sorted(archive.namelist())
        return {name: archive.read(name) for name in archive.namelist()}


def make(content: dict[str, bytes], kind: str) -> Path:
    folder = Path("my own pictures")
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder if kind == "folder" else Path(shutil.make_archive("packed", kind, folder))


@pytest.mark.parametrize("content", [BY_FOLDER, BY_NUMBER], ids=["by folder", "by number"])
@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "gztar"])
def test_ones_own_pictures(content: dict[str, bytes], kind: str, common: CommonParams) -> None:
    assert run(common, make(content, kind)) == content


def test_equal_pictures_give_equal_archives(common: CommonParams) -> None:
    checksums = set()
    for kind in ("folder", "zip", "tar", "gztar"):
        run(common, make(BY_FOLDER, kind))
        checksums.add(hashlib.sha256(Path("raw.zip").read_bytes()).hexdigest())
    assert len(checksums) == 1


def test_pictures_in_the_projects_own_folder_win_over_the_source(common: CommonParams) -> None:
    assert "train/cat.0.jpg" in run(common)
    Path("pictures/robin").mkdir()
    Path("pictures/robin/1.jpg").write_bytes(b"robin")
    assert run(common) == {"robin/1.jpg": b"robin"}


def test_what_is_no_picture_by_its_name_stays_out_and_is_listed(
    common: CommonParams, capsys: pytest.CaptureFixture[str]
) -> None:
    aside = {"birds/README.txt": b"about", "birds/robin/.DS_Store": b"mac", "birds/robin/Thumbs.db": b"win"}
    assert run(common, make(BY_FOLDER | aside, "folder")) == BY_FOLDER
    said = capsys.readouterr().out
    assert "3 files are no pictures by their names" in said
    assert all(name in said for name in aside)


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_a_source_without_pictures_is_refused(kind: str, common: CommonParams) -> None:
    source = make({"README.md": b"nothing yet"}, kind)
    with pytest.raises(UserError, match=r"expected pictures, found 1 files, all hidden or README") as caught:
        run(common, source)
    assert str(source) in str(caught.value)
    assert not Path("raw.zip").exists()


def test_a_source_that_is_not_there_is_named(common: CommonParams) -> None:
    with pytest.raises(UserError, match="nowhere: expected a folder, a zip or a tar, found nothing"):
        run(common, "nowhere")


def test_a_hostile_archive_writes_nothing(common: CommonParams) -> None:
    with tarfile.open("evil.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("a/good.jpg"))
        tar.addfile(tarfile.TarInfo("../../evil.jpg"))
    with pytest.raises(UserError, match="leads outside"):
        run(common, "evil.tar")
    assert sorted(path.name for path in Path().iterdir()) == ["evil.tar", "pictures"]


def test_the_sample_is_drawn_and_the_same_every_time(common: CommonParams) -> None:
    first = run(common)
    assert list(first) == ["train/cat.0.jpg", "train/cat.1.jpg", "train/dog.0.jpg", "train/dog.1.jpg"]
    assert len(set(first.values())) == 4
    assert all(decode(content).ndim == 3 for content in first.values())
    assert run(common) == first
    assert run(common.model_copy(update={"seed": 4})) != first


def test_digits_lie_as_their_publishers_divided_them(common: CommonParams, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    pictures = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
    subsets = (pictures[:2], np.array([7, 0], np.uint8)), (pictures[2:], np.array([7], np.uint8))
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: subsets)
    found = run(common, source="digits")
    assert list(found) == ["test/7/0.png", "train/0/1.png", "train/7/0.png"]
    np.testing.assert_array_equal(decode(found["test/7/0.png"], color="grey")[..., 0], pictures[2])


def test_digits_without_a_network_say_where_to_put_them(common: CommonParams, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def unreachable() -> None:
        raise Exception("URL fetch failure on https://x\n: None -- unreachable")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", unreachable)
    with pytest.raises(UserError, match=r"digits: cannot be fetched .*mnist\.npz") as caught:
        run(common, source="digits")
    assert "\n" not in str(caught.value)


def test_an_archive_from_the_network(common: CommonParams, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = Path("fetched.partial")
    shutil.copy(make(BY_FOLDER, "zip"), fetched)
    asked = []

    def fetch(url: str, sha256: str) -> Path:
        asked.append((url, sha256))
        return fetched

    monkeypatch.setattr(source_url, "fetch", fetch)
    assert run(common, source="url", url="https://x/y.zip", sha256="0" * 64) == BY_FOLDER
    assert asked == [("https://x/y.zip", "0" * 64)]
    assert not fetched.exists()


def test_an_address_is_needed(common: CommonParams) -> None:
    with pytest.raises(UserError, match=r"download\.url: expected .* found null"):
        run(common, source="url", url=None, sha256="0" * 64)
