"""Whatever the source, one raw archive; equal images give equal archives."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from stages.download import DownloadParams, download
from stages.lib.core.errors import UserError
from stages.lib.core.params import CommonParams
from stages.lib.images.decode import decode
from stages.lib.sources import made
from stages.lib.sources import url as source_url
from stages.lib.sources.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
BY_FOLDER = {"birds/robin/1.jpg": b"robin", "birds/wren/1.jpg": b"wren", "birds/wren/ä.jpg": b"another"}
BY_NUMBER = {"train/cat.0.jpg": b"cat", "train/dog.0.jpg": b"dog"}


@pytest.fixture(autouse=True)
def _project(elsewhere: None) -> None:
    Path("sources").mkdir()
    Path("sources/README.md").write_text("No images belong here.")


def params_of(path: str | Path | None = None, **changes: object) -> DownloadParams:
    source = {"source": "sample", "path": "sources"} if path is None else {"source": "folder", "path": str(path)}
    limits = {"max_gigabytes": 1, "max_hours": 1, "links": "inside"}
    others = {"sample_per_class": 2, "competition": "c", "url": None, "sha256": None} | limits
    return DownloadParams.model_validate(source | others | changes)


def run(common: CommonParams, path: str | Path | None = None, **changes: object) -> dict[str, bytes]:
    """Run the stage, on a folder or archive if there is a `path`; returns what the raw archive holds."""
    download(Path("raw.zip"), common, params_of(path, **changes))
    with zipfile.ZipFile("raw.zip") as archive:
        assert archive.namelist() == sorted(archive.namelist())
        return {name: archive.read(name) for name in archive.namelist()}


def make(content: dict[str, bytes], kind: str) -> Path:
    folder = Path("my own images")
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder if kind == "folder" else Path(shutil.make_archive("packed", kind, folder))


@pytest.mark.parametrize("content", [BY_FOLDER, BY_NUMBER], ids=["by folder", "by number"])
@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "gztar"])
def test_ones_own_images(content: dict[str, bytes], kind: str, common: CommonParams) -> None:
    assert run(common, make(content, kind)) == content


def test_equal_images_give_equal_archives(common: CommonParams) -> None:
    checksums = set()
    for kind in ("folder", "zip", "tar", "gztar"):
        run(common, make(BY_FOLDER, kind))
        checksums.add(hashlib.sha256(Path("raw.zip").read_bytes()).hexdigest())
    assert len(checksums) == 1


SOURCES = ["sample", "kaggle", "url", "digits"]


@pytest.mark.parametrize("source", SOURCES)
def test_images_where_none_belong_are_neither_taken_nor_passed_over(source: str, common: CommonParams) -> None:
    Path("sources/.source.json").write_text("{}")
    Path("sources/robin").mkdir()
    Path("sources/robin/1.jpg").write_bytes(b"robin")
    expected = (
        r"sources: expected nothing but its README, found 1 \.jpg: robin/1\.jpg; move them to another folder, then"
    )
    with pytest.raises(UserError, match=expected):
        run(common, source=source)
    assert not Path("raw.zip").exists()


@pytest.mark.parametrize("path", ["birds", "/somewhere/birds.zip", "sources/birds", "images", "~/birds", "."])
@pytest.mark.parametrize("source", SOURCES)
def test_a_path_of_ones_own_beside_another_source_is_refused(source: str, path: str) -> None:
    expected = f"expected sources with download.source: {source}; for images of your own set that to folder"
    with pytest.raises(ValueError, match=expected):
        params_of(path, source=source)


@pytest.mark.parametrize("path", ["sources", "sources/", "./sources"])
def test_the_folder_that_stands_for_none_is_no_source(path: str) -> None:
    with pytest.raises(ValueError, match=r"expected the folder or archive of your images with download\.source"):
        params_of(path)


def test_a_folder_with_nothing_in_it_is_never_replaced_by_drawings(common: CommonParams) -> None:
    """As a clone has it: git keeps what DVC and people leave beside images, and not the images."""
    Path("birds/robin").mkdir(parents=True)
    for name in ("README.md", ".gitignore", "robin.dvc", "robin/.gitignore"):
        Path("birds", name).write_text("1")
    with pytest.raises(UserError, match="birds: expected images, found 4 files, all hidden or README"):
        run(common, "birds")
    shutil.rmtree("birds")
    with pytest.raises(UserError, match="birds: expected a folder, a zip or a tar, found nothing"):
        run(common, "birds")
    assert not Path("raw.zip").exists()


def test_it_says_at_once_what_it_takes_and_from_where(common: CommonParams, capsys: pytest.CaptureFixture[str]) -> None:
    run(common, make(BY_FOLDER, "folder"))
    assert capsys.readouterr().out.startswith("source folder: 3 files from my own images\n")
    run(common)
    assert capsys.readouterr().out.startswith("source sample: 4 drawings, made here\n")


NAMES = [
    *("a b", "US$notes", "$(touch x)", "`touch x`", 'quo"te', "quo'te", "a;touch x", "| touch x", "> x"),
    *("${download.source}", "${item}", "back\\slash", "-dash", "--archive", " lead", "trail ", "new\nline", "*", "[x]"),
    *("{a,b}", "#1", "~", "~x", "%d", "a:b", "2024", "null", "ünïcode", ".hidden", "&", "!", "a=b"),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_path_is_a_name_and_nothing_else(name: str, kind: str, common: CommonParams) -> None:
    made = make(BY_NUMBER, kind).rename(name)
    assert run(common, made) == BY_NUMBER


def test_no_shell_reads_a_path() -> None:
    """As `dvc repro` runs it: the command of dvc.yaml, by a shell, and the path from params.yaml."""
    made = make(BY_NUMBER, "folder").rename("$(touch one) `touch two` ';touch three;\" US$notes")
    sections = yaml.safe_load((ROOT / "params.yaml").read_text()) | {"download": params_of(made).model_dump()}
    Path("params.yaml").write_text(yaml.safe_dump(sections))
    command = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["download"]["cmd"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(command, shell=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": path})
    with zipfile.ZipFile("data/raw.zip") as archive:
        assert archive.namelist() == list(BY_NUMBER)
    assert sorted(path.name for path in Path().iterdir()) == sorted(["data", "params.yaml", "sources", made.name])


def test_what_is_no_image_by_its_name_stays_out_and_is_listed(
    common: CommonParams, capsys: pytest.CaptureFixture[str]
) -> None:
    aside = {"birds/README.txt": b"about", "birds/robin/.DS_Store": b"mac", "birds/robin/Thumbs.db": b"win"}
    assert run(common, make(BY_FOLDER | aside, "folder")) == BY_FOLDER
    said = capsys.readouterr().out
    assert "3 files are no images by their names" in said
    assert all(name in said for name in aside)


def test_folders_where_links_lead_are_named_since_dvc_does_not_see_changes_there(
    common: CommonParams, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(BY_FOLDER, "folder")
    run(common, folder, links="anywhere")
    assert "DVC" not in capsys.readouterr().out
    Path("elsewhere/deeper").mkdir(parents=True)
    Path("elsewhere/1.jpg").write_bytes(b"finch")
    Path("elsewhere/deeper/2.jpg").write_bytes(b"another")
    (folder / "birds" / "finch").symlink_to(Path("elsewhere").resolve())
    assert "birds/finch/1.jpg" in run(common, folder, links="anywhere")
    assert "DVC does not see what changes where links to folders lead (birds/finch/)" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_a_source_without_images_is_refused(kind: str, common: CommonParams) -> None:
    source = make({"README.md": b"nothing yet"}, kind)
    with pytest.raises(UserError, match=r"expected images, found 1 file, all hidden or README") as caught:
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
    assert sorted(path.name for path in Path().iterdir()) == ["evil.tar", "sources"]


def test_the_sample_is_drawn_and_the_same_every_time(common: CommonParams) -> None:
    first = run(common)
    assert list(first) == ["train/cat.0.jpg", "train/cat.1.jpg", "train/dog.0.jpg", "train/dog.1.jpg"]
    assert len(set(first.values())) == 4
    assert all(decode(content).ndim == 3 for content in first.values())
    assert run(common) == first
    assert run(common.model_copy(update={"seed": 4})) != first


def test_digits_lie_as_their_publishers_divided_them(common: CommonParams, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
    subsets = (images[:2], np.array([7, 0], np.uint8)), (images[2:], np.array([7], np.uint8))
    (first, second), (third, fourth) = subsets
    kept = Path("mnist.npz").resolve()
    np.savez(kept, x_train=first, y_train=second, x_test=third, y_test=fourth)
    monkeypatch.setattr(made, "KEPT", str(kept))
    monkeypatch.setattr(made, "SHA256", hashlib.sha256(kept.read_bytes()).hexdigest())
    found = run(common, source="digits")
    assert list(found) == ["test/7/0.png", "train/0/1.png", "train/7/0.png"]
    np.testing.assert_array_equal(decode(found["test/7/0.png"], color="grey")[..., 0], images[2])


def test_digits_without_a_network_say_where_to_put_them(common: CommonParams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "KEPT", str(Path("nowhere", "mnist.npz").resolve()))
    monkeypatch.setattr(made, "ADDRESS", "http://127.0.0.1:9/mnist.npz")
    monkeypatch.setattr(source_url, "TRIES", 1)
    with pytest.raises(UserError, match=r"digits: cannot be fetched .*mnist\.npz") as caught:
        run(common, source="digits")
    assert "\n" not in str(caught.value)


def test_another_file_in_the_place_of_the_digits_is_refused(
    common: CommonParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Path("mnist.npz").resolve()
    kept.write_bytes(b"no digits")
    monkeypatch.setattr(made, "KEPT", str(kept))
    with pytest.raises(UserError, match=r"mnist\.npz: expected the file of https://\S+, found another one; delete it"):
        run(common, source="digits")


def test_an_archive_from_the_network(common: CommonParams, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = Path("fetched.partial")
    shutil.copy(make(BY_FOLDER, "zip"), fetched)
    asked = []

    def fetch(url: str, sha256: str, limits: Limits) -> Path:
        asked.append((url, sha256, limits))
        return fetched

    monkeypatch.setattr(source_url, "fetch", fetch)
    assert run(common, source="url", url="https://x/y.zip", sha256="0" * 64) == BY_FOLDER
    assert asked == [("https://x/y.zip", "0" * 64, Limits(10**9, 3600))]
    assert not fetched.exists()


def test_an_address_is_needed(common: CommonParams) -> None:
    with pytest.raises(UserError, match=r"download\.url: expected .* found null"):
        run(common, source="url", url=None, sha256="0" * 64)
