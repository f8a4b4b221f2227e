"""What an archive holds: classes read from where images lie, each image decoded and described once."""

import hashlib
import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.lib.decoding import quality
from stages.lib.decoding.thumbnails import thumbnail
from stages.lib.inventory import contents
from stages.lib.inventory.contents import natural_order, take_inventory
from tests.stages.archive_inputs import raw_archive as archive


def png(seed: int, size: tuple[int, int] = (12, 8)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


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


def test_an_image_is_described(tmp_path: Path) -> None:
    content = png(1)
    images, rejected = take_inventory(archive(tmp_path, {"cat/1.png": content, "dog/1.png": png(2)}))
    assert not rejected
    cat = images[0]
    assert (cat.name, cat.label, cat.subset, cat.group) == ("cat/1.png", "", None, "")
    assert (cat.width, cat.height, cat.size) == (12, 8, len(content))
    assert cat.sha256 == hashlib.sha256(content).hexdigest()
    assert (cat.thumbnail == thumbnail(Image.open(io.BytesIO(content)))).all()
    assert (cat.thumbnail != images[1].thumbnail).any()
    grey = Image.open(io.BytesIO(content)).convert("L")
    assert (cat.brightness, cat.sharpness) == (quality.brightness(grey), quality.sharpness(grey))


def test_sizes_are_those_of_the_upright_image(tmp_path: Path) -> None:
    image = Image.new("RGB", (12, 8))
    exif = image.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    turned = take_inventory(archive(tmp_path, {"a/1.jpg": file.getvalue(), "b/1.png": png(1)}))[0][0]
    assert (turned.width, turned.height) == (8, 12)


def test_what_cannot_be_decoded_is_listed_with_the_reason(tmp_path: Path) -> None:
    content = {"cat/1.png": png(1), "dog/1.png": png(2), "dog/cut.png": png(3, (64, 64))[:-2000], "list.csv": b"1,2"}
    images, rejected = take_inventory(archive(tmp_path, content))
    assert [image.name for image in images] == ["cat/1.png", "dog/1.png"]
    assert [file.name for file in rejected] == ["dog/cut.png", "list.csv"]
    assert "truncated" in rejected[0].reason
    assert (rejected[1].reason, rejected[1].by_name) == ("set aside: no image by its name", True)
    assert not rejected[0].by_name


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
    images, rejected = take_inventory(archive(tmp_path, content))
    assert len(images) + len(rejected) == len(content)
    assert len(rejected) > 100
    assert all(file.reason and "\n" not in file.reason for file in rejected)


def test_an_archive_of_nothing_but_damage(tmp_path: Path) -> None:
    assert take_inventory(archive(tmp_path, {"cat/1.png": b"?"}))[0] == []


def test_each_image_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answers = contents.answers

    def counted(orders: list[dict[str, str]], expected: int, program: str) -> object:
        asked.extend(order["name"] for order in orders)
        return answers(orders, expected, program)

    monkeypatch.setattr(contents, "answers", counted)
    content = {f"{label}/{n}.png": png(n) for label in ("a", "b") for n in range(40)}
    images, _ = take_inventory(archive(tmp_path, content))
    assert asked == [image.name for image in images] == sorted(content)
