"""What an archive holds: classes read from where pictures lie, each picture decoded and described once."""

import hashlib
import io
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.lib import inventory, quality
from stages.lib.errors import UserError
from stages.lib.inventory import labels_of, natural_order, subset_of, take_inventory
from stages.lib.thumbnails import thumbnail


def png(seed: int, size: tuple[int, int] = (12, 8)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def archive(folder: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / "raw.zip", "w") as opened:
        for name, data in content.items():
            opened.writestr(name, data)
    return folder / "raw.zip"


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["cat/1.jpg", "dog/1.jpg"], ["cat", "dog"]),
        (["a/b/cat/1.jpg", "a/c/dog/1.jpg"], ["cat", "dog"]),
        (["train/cat/1.jpg", "test/cat/1.jpg", "test/dog/1.jpg"], ["cat", "cat", "dog"]),
        (["cat.0.jpg", "dog.0.jpg"], ["cat", "dog"]),
        (["x/train/cat.0.jpg", "x/train/dog.12.jpg"], ["cat", "dog"]),
        (["train/cat.0.jpg", "val/dog.1.jpg"], ["cat", "dog"]),
        (["v1.2/great.tit.3.jpg", "v1.2/wren.4.jpg"], ["great.tit", "wren"]),
        (["猫/1.jpg", "hund æ/1.jpg"], ["猫", "hund æ"]),
    ],
)
def test_classes_are_read_from_the_layout(names: list[str], labels: list[str]) -> None:
    assert labels_of(names) == labels


@pytest.mark.parametrize(
    ("names", "received"),
    [
        (["cat/1.jpg", "cat/2.jpg"], "cat/1.jpg, cat/2.jpg"),
        (["1.jpg", "2.jpg"], "1.jpg, 2.jpg"),
        (["cat.0.jpg", "dog.jpg"], "dog.jpg"),
        (["cat.0.jpg", "cat.1.jpg"], "cat.0.jpg"),
        (["train/1.jpg", "test/2.jpg"], "train/1.jpg"),
        (["cat/1.jpg", "dog/1.jpg", "lost.jpg"], "lost.jpg, which is in none"),
        ([], "no picture"),
    ],
)
def test_a_layout_without_classes_is_refused(names: list[str], received: str) -> None:
    with pytest.raises(UserError, match=r"expected .* class") as caught:
        labels_of(names)
    assert f"Received: {received}" in str(caught.value)


def test_folders_that_name_a_subset() -> None:
    found = {name: subset_of(name) for name in ("train", "Training", "val", "valid", "validation", "test", "cat")}
    assert list(found.values()) == ["train", "train", "validation", "validation", "validation", "test", None]


def test_natural_order() -> None:
    names = ["cat.10.jpg", "cat.9.jpg", "cat.jpg", "b/7.jpg", "a/7.jpg", "2024-x.jpg"]
    assert sorted(names, key=natural_order) == [
        "cat.jpg",
        "a/7.jpg",
        "b/7.jpg",
        "cat.9.jpg",
        "cat.10.jpg",
        "2024-x.jpg",
    ]


def test_a_picture_is_described(tmp_path: Path) -> None:
    content = png(1)
    pictures, rejected = take_inventory(archive(tmp_path, {"cat/1.png": content, "dog/1.png": png(2)}))
    assert not rejected
    cat = pictures[0]
    assert (cat.name, cat.label, cat.width, cat.height, cat.size) == ("cat/1.png", "cat", 12, 8, len(content))
    assert cat.sha256 == hashlib.sha256(content).hexdigest()
    assert (cat.thumbnail == thumbnail(Image.open(io.BytesIO(content)))).all()
    assert (cat.thumbnail != pictures[1].thumbnail).any()
    grey = Image.open(io.BytesIO(content)).convert("L")
    assert (cat.brightness, cat.sharpness) == (quality.brightness(grey), quality.sharpness(grey))


def test_sizes_are_those_of_the_upright_picture(tmp_path: Path) -> None:
    image = Image.new("RGB", (12, 8))
    exif = image.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    turned = take_inventory(archive(tmp_path, {"a/1.jpg": file.getvalue(), "b/1.png": png(1)}))[0][0]
    assert (turned.width, turned.height) == (8, 12)


def test_what_cannot_be_decoded_is_listed_with_the_reason(tmp_path: Path) -> None:
    content = {"cat/1.png": png(1), "dog/1.png": png(2), "dog/cut.png": png(3, (64, 64))[:-2000], "list.csv": b"1,2"}
    pictures, rejected = take_inventory(archive(tmp_path, content))
    assert [picture.name for picture in pictures] == ["cat/1.png", "dog/1.png"]
    assert [file.name for file in rejected] == ["dog/cut.png", "list.csv"]
    assert "truncated" in rejected[0].reason
    assert "not a picture" in rejected[1].reason


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow remarks on broken metadata
def test_damage_of_any_kind_is_no_traceback(tmp_path: Path) -> None:
    """What lies in a user's folder is of any format, and each decoder fails in its own way."""
    noise = random.Random(0)
    content = {"a/1.png": png(1), "b/1.png": png(2)}
    for form in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"):
        image = Image.open(io.BytesIO(png(3, (40, 40))))
        exif = image.getexif()
        exif[0x0112], exif[0x010E] = 6, "a description"
        file = io.BytesIO()
        image.save(file, form, exif=exif)
        for number in range(60):
            damaged = bytearray(file.getvalue())
            for _ in range(10):
                damaged[noise.randrange(min(len(damaged), 400))] = noise.randrange(256)
            content[f"c/{form}{number}"] = bytes(damaged)
    pictures, rejected = take_inventory(archive(tmp_path, content))
    assert len(pictures) + len(rejected) == len(content)
    assert len(rejected) > 100
    assert all(file.reason and "\n" not in file.reason for file in rejected)


def test_a_file_beside_numbered_pictures_does_not_hide_their_classes(tmp_path: Path) -> None:
    content = {"cat.0.png": png(1), "dog.0.png": png(2), "licence.txt": b"free", "docs/about.txt": b"about"}
    pictures, rejected = take_inventory(archive(tmp_path, content))
    assert [picture.label for picture in pictures] == ["cat", "dog"]
    assert len(rejected) == 2


def test_an_archive_of_nothing_but_damage(tmp_path: Path) -> None:
    assert take_inventory(archive(tmp_path, {"cat/1.png": b"?"}))[0] == []


def test_each_picture_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    upright = inventory.upright
    monkeypatch.setattr(inventory, "upright", lambda content, **how: decoded.append(content) or upright(content, **how))
    content = {f"{label}/{n}.png": png(n) for label in ("a", "b") for n in range(40)}
    pictures, _ = take_inventory(archive(tmp_path, content))
    assert len(decoded) == len(pictures) == 80
    assert [picture.name for picture in pictures] == sorted(content)
