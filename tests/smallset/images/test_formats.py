"""Formats that are read, and others; what a bomb says of itself is found before it bursts."""

import io
import struct
import subprocess
import time
from pathlib import Path

import pytest
from PIL import Image, features

from smallset.images import files
from smallset.images.broken import BrokenImage
from smallset.images.decode import decode, size_of
from smallset.images.formats import FORMATS, scans_of_jpeg, size_of_webp
from smallset.images.memory_budget import MemoryBudget, TooMuchAtOnce
from tests.stages.image_inputs import encoded

NOISE = Image.effect_noise((64, 48), 50).convert("RGB")
# Formats that Pillow writes and that people do not have photographs in.
OTHERS = ["BLP", "BUFR", "DDS", "EPS", "ICNS", "ICO", "IM", "MSP", "PCX", "QOI", "SGI", "SPIDER", "TGA", "XBM"]
STARTS = {
    "FITS": b"SIMPLE  =                    T",
    "PSD": b"8BPS\0\1" + bytes(60),
    "WMF": b"\xd7\xcd\xc6\x9a\0\0" + bytes(60),
    "FLI": bytes(4) + b"\x11\xaf" + bytes(8) + b"\3\0" + bytes(60),
    "GRIB": b"GRIB\0\0\0\1" + bytes(60),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(60),
}


@pytest.fixture
def no_other_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*arguments: object, **named: object) -> None:
        raise AssertionError(f"started a program: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", forbidden)


@pytest.mark.usefixtures("no_other_program")
@pytest.mark.parametrize("name", [*OTHERS, *STARTS])
def test_formats_that_people_do_not_have_are_never_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.init()
    content = STARTS.get(name)
    if content is None:
        file = io.BytesIO()
        modes = {"BLP": "P", "MSP": "1", "XBM": "1", "SPIDER": "F"}
        try:
            NOISE.resize((64, 64)).convert(modes.get(name, "RGB")).save(file, name)
        except OSError:
            pytest.skip(f"Pillow does not write {name} here")
        content = file.getvalue()
    for read in (size_of, decode):
        with pytest.raises(BrokenImage) as caught:
            read(content)
        assert "formats that are read: save it" in str(caught.value) or "an unknown format" in str(caught.value)
        if name in (*STARTS, "EPS", "DDS", "ICO", "QOI"):
            assert str(caught.value).startswith(name)


def test_a_name_says_nothing_about_the_format(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(NOISE, "EPS"))
    (tmp_path / "b.eps").write_bytes(encoded(NOISE))
    with pytest.raises(BrokenImage, match="EPS"):
        decode(tmp_path / "a.png")
    assert decode(tmp_path / "b.eps").shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"PK\x03\x04", "an archive: unpack it"),
        (b"\0\0\0\x14ftypqt  ", "a film: save single frames"),
        (b"RIFF\0\0\0\0AVI LIST", "a film: save single frames"),
        (b"", "an empty file: copy it again"),
        (b"\n<!DOCTYPE html>", "a web page: save the image itself"),
        (b"%PDF-1.7", "a PDF: save its pages"),
    ],
)
def test_what_is_no_image_is_told_with_what_to_do(start: bytes, what: str) -> None:
    with pytest.raises(BrokenImage, match=f"not an image but {what}"):
        decode(start + bytes(100) if start else b"")


def test_every_format_that_is_read_is_known_to_pillow() -> None:
    assert set(FORMATS) <= set(Image.OPEN)
    assert features.check("webp")


def webp(kind: bytes, width: int, height: int) -> bytes:
    """A WebP of no pixels that says it is so large."""
    if kind == b"VP8L":
        body = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(5)
    elif kind == b"VP8X":
        body = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    else:
        body = b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


@pytest.mark.parametrize("kind", [b"VP8 ", b"VP8L", b"VP8X"])
def test_a_webp_bomb_is_refused_before_its_decoder_sees_it(kind: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import WebPImagePlugin

    def burst(content: bytes) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(WebPImagePlugin._webp, "WebPAnimDecoder", burst)
    content = webp(kind, 16383, 16383)
    assert len(content) < 40
    with pytest.raises(BrokenImage, match="268 megapixels, more pixels than the 72 million of WEBP"):
        size_of(content)


def test_the_size_of_a_webp_is_that_which_pillow_finds() -> None:
    for size in ((64, 48), (1, 1), (300, 7)):
        for options in ({"lossless": True}, {"lossless": False}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}):
            content = encoded(NOISE.resize(size), "WEBP", **options)
            assert size_of_webp(content[:64]) == Image.open(io.BytesIO(content)).size == size
    assert size_of_webp(encoded(NOISE)[:64]) is None
    assert size_of_webp(b"RIFF\0\0\0\0WEBP") is None


def scans(content: bytes, most: int = 1000) -> int:
    return scans_of_jpeg(io.BytesIO(content), most)


def with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes so many times more."""
    content = encoded(NOISE, "JPEG", progressive=True)
    last, end = content.rindex(b"\xff\xda"), content.rindex(b"\xff\xd9")
    return content[:end] + content[last:end] * count + content[end:]


def test_scans_are_counted_of_the_image_alone() -> None:
    assert scans(encoded(NOISE, "JPEG")) == 1
    usual = scans(encoded(NOISE, "JPEG", progressive=True))
    assert 2 <= usual <= 12
    assert scans(with_scans(30)) == usual + 30
    assert scans(with_scans(30), most=5) == 6
    # A small copy in the metadata, and whatever follows the image: a film, another image.
    exif = Image.Exif()
    exif[0x010E] = "\xff\xda" * 500
    small = b"\xff\xe3" + struct.pack(">H", 2 + 400) + b"\xff\xda" * 200
    content = encoded(NOISE, "JPEG", progressive=True)
    assert scans(content[:2] + small + content[2:] + b"\xff\xda" * 500) == usual


def test_a_sequential_jpeg_of_several_scans_counts_them() -> None:
    """Its coefficients lie in memory like those of a progressive one."""
    frame = b"\xff\xc0\0\x11\x08\0\x10\0\x10\3" + bytes(9)
    scan = b"\xff\xda\0\x08\1" + bytes(5) + b"data"
    assert scans(b"\xff\xd8" + frame + 3 * scan + b"\xff\xd9") == 3
    assert scans(b"\xff\xd8" + frame + scan.replace(b"\x08\1", b"\x0c\3") + b"\xff\xd9") == 1


def test_a_jpeg_of_very_many_scans_is_refused_at_once() -> None:
    content, start = with_scans(120_000), time.process_time()
    with pytest.raises(BrokenImage, match="more than 200 scans"):
        decode(content)
    assert time.process_time() - start < 2
    assert decode(with_scans(100)).shape == (48, 64, 3)


def test_scans_of_a_large_jpeg_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_PIXELS_OF_SCANS", 64 * 48 * 50)
    with pytest.raises(BrokenImage, match=r"a JPEG of \d+ scans"):
        decode(with_scans(60))
    assert decode(with_scans(20)).shape == (48, 64, 3)


def test_a_colour_profile_has_a_size_that_profiles_have() -> None:
    content = encoded(NOISE, "JPEG", icc_profile=bytes(9 << 20))
    with pytest.raises(BrokenImage, match="a colour profile of 9 MB, expected at most 8"):
        decode(content)


def test_memory_is_shared_by_all_who_decode() -> None:
    from concurrent.futures import ThreadPoolExecutor

    budget, used, most = MemoryBudget(100), [], []

    def work(amount: int) -> None:
        with budget.held(amount):
            used.append(amount)
            most.append(sum(used))
            time.sleep(0.002)
            used.remove(amount)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [30, 60, 10, 99, 1, 40, 40, 40] * 5))
    assert 60 < max(most) <= 100
    with budget.held(1000):  # alone, and no one waits for ever
        pass
    budget.share = 20
    with pytest.raises(TooMuchAtOnce), budget.held(21):
        pass
