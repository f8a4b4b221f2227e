"""Images of every kind come out as upright RGB or grey; broken ones say why."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smallset.images.broken import BrokenImage
from smallset.images.decode import decode, size_of, upright
from smallset.images.resizing import STRETCH
from stages.lib.images.decode import stream


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def test_rgb_and_grey():
    red = encoded(Image.new("RGB", (6, 4), (255, 0, 0)))
    assert decode(red).shape == (4, 6, 3)
    assert decode(red)[0, 0].tolist() == [255, 0, 0]
    assert decode(red, 8, "grey").shape == (8, 8, 1)


def test_transparency_lies_on_white():
    assert decode(encoded(Image.new("RGBA", (2, 2), (0, 0, 0, 0))))[0, 0].tolist() == [255, 255, 255]


def test_the_camera_says_which_side_is_up():
    image = Image.new("RGB", (6, 4))
    exif = image.getexif()
    exif[0x0112] = 6
    assert decode(encoded(image, "JPEG", exif=exif)).shape == (6, 4, 3)


@pytest.mark.parametrize("orientation", [1, 6])
def test_of_a_large_photograph_as_much_is_decoded_as_is_enough(orientation):
    image = Image.effect_noise((1200, 800), 40).resize((1200, 800)).convert("RGB")
    exif = image.getexif()
    exif[0x0112] = orientation
    content = encoded(image, "JPEG", exif=exif)
    turned = orientation == 6
    assert size_of(content) == ((800, 1200) if turned else (1200, 800))
    assert upright(content).size == size_of(content)
    reduced = upright(content, enough=200)
    assert reduced.size == ((200, 300) if turned else (300, 200))
    whole = np.asarray(upright(content).resize(reduced.size, Image.Resampling.BOX), np.int16)
    assert np.abs(np.asarray(reduced, np.int16) - whole).mean() < 3
    with pytest.raises(BrokenImage, match="truncated"):
        upright(content[: len(content) // 2], enough=200)


def test_sixteen_bits_are_scaled():
    image = Image.fromarray(np.full((3, 3), 0x8000, np.uint16))
    assert decode(encoded(image))[0, 0].tolist() == [128, 128, 128]


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "LA"])
def test_every_mode_becomes_rgb(mode):
    form = "TIFF" if mode == "CMYK" else "PNG"
    assert decode(encoded(Image.new(mode, (5, 5)), form), 4).shape == (4, 4, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not an image", "not an image"),
        (b"", "not an image"),
        (encoded(Image.effect_noise((64, 64), 50).convert("RGB"), "JPEG")[:-200], "truncated"),
    ],
)
def test_what_cannot_be_decoded_says_why(content, reason):
    with pytest.raises(BrokenImage, match=reason):
        decode(content)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{shade}.png" for shade in range(10)]
    for shade, path in enumerate(paths):
        Image.new("L", (9, 7), shade).save(path)
    return paths


def test_a_stream_of_batches_keeps_the_order(files):
    batches = list(stream(files, 8, "rgb", 4, resizing=STRETCH))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert np.concatenate(batches)[:, 0, 0, 0].tolist() == list(range(10))


def test_a_broken_one_among_many_is_named(files, tmp_path):
    files[3].write_bytes(b"broken")
    with pytest.raises(BrokenImage, match=r"3\.png: not an image"):
        list(stream(files, 8, "rgb", 4, resizing=STRETCH))
