"""Files as phones and strangers make them: HEIC, very large ones, damaged ones."""

import io
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from smallset.images import files
from smallset.images.broken import BrokenImage
from smallset.images.decode import decode, size_of, upright
from smallset.images.in_memory import from_array
from smallset.images.resizing import STRETCH
from stages.lib.images.decode import stream
from tests.stages.image_inputs import FORMATS, ORIENTED, SIZE, colors_of_16_bits, encoded, expected, in_mode

RED = Image.new("RGB", (64, 48), "red")


def test_ten_bits_of_a_phone_become_eight() -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    colors = np.repeat(ramp[..., np.newaxis], 3, axis=2)
    file = pillow_heif.from_bytes(mode="RGB;16", size=(64, 64), data=colors.tobytes())
    content = io.BytesIO()
    file.save(content, quality=-1)
    found = decode(content.getvalue()).astype(int)
    assert np.abs(found - np.rint(colors / 257)).max() <= 6


def test_the_main_image_of_a_heic_counts_and_not_its_small_copies() -> None:
    blue = Image.new("RGB", (64, 48), "blue")
    file = pillow_heif.from_pillow(blue)
    file.add_from_pillow(RED)
    content = io.BytesIO()
    file.save(content, primary_index=1, thumbnails=[16])
    assert np.abs(decode(content.getvalue())[24, 32].astype(int) - (254, 0, 0)).max() < 4


def test_transparent_parts_of_a_heic_are_white() -> None:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 64, 32))
    found = decode(encoded(image, "HEIF"))
    assert found[8, 32].max() < 10
    assert found[56, 32].min() > 245


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heic_is_not_turned_twice(orientation: int) -> None:
    content = encoded(in_mode("RGB"), "HEIF", orientation)
    assert size_of(content) == SIZE
    assert np.abs(decode(content)[5::16, 7::24, 0].astype(int) - expected("RGB")[5::16, 7::24]).max() <= 6


def test_damaged_names_in_a_heic_do_not_end_the_process() -> None:
    content = encoded(RED, "HEIF", 6).replace(b"Exif\0", b"Exi\xff\0", 1)
    code = "import sys; from smallset.images.decode import size_of; from smallset.images.broken import BrokenImage\n"
    code += "try: size_of(sys.stdin.buffer.read())\nexcept BrokenImage as error: print(error)"
    done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"not an image" in done.stdout


@pytest.mark.parametrize("form", FORMATS)
def test_random_damage_breaks_an_image_and_nothing_else(form: str) -> None:
    samples = [encoded(in_mode(mode), form, 6 if form in ORIENTED else 1) for mode in ("RGB", "L")]
    if form in ("PNG", "TIFF", "PPM"):
        samples.append(colors_of_16_bits(form, np.full((20, 30), 60_000)))
    rng = random.Random(form)
    reasons = []
    for number in range(60):
        content = bytearray(samples[number % len(samples)])
        for _ in range(rng.choice([1, 3, 30])):
            content[rng.randrange(len(content))] = rng.randrange(256)
        if number % 3 == 0:
            content = content[: rng.randrange(len(content))]
        for read in (size_of, decode):
            try:
                read(bytes(content))
            except BrokenImage as error:
                reasons.append(str(error))
    assert reasons
    assert not [reason for reason in reasons if "\n" in reason]


def large(form: str, mode: str = "RGB", **options: object) -> bytes:
    return encoded(Image.effect_noise((640, 480), 50).convert(mode), form, **options)


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that 640 x 480 pixels pass as a JPEG alone."""
    monkeypatch.setattr(files, "MOST_PIXELS_JPEG", 640 * 480)
    monkeypatch.setattr(files, "MOST_PIXELS_PROGRESSIVE", 640 * 480 - 1)
    monkeypatch.setattr(files, "MOST_PIXELS", 200 * 200)
    monkeypatch.setattr(files, "MOST_PIXELS_OF_32_BITS", 50 * 50)


@pytest.mark.usefixtures("small_limits")
def test_a_very_large_jpeg_is_decoded_small() -> None:
    content = large("JPEG", orientation=6)
    assert size_of(content) == (640, 480)
    assert decode(content, 32).shape == (32, 32, 3)
    with pytest.raises(BrokenImage, match="more pixels than"):
        decode(content)


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("form", [form for form in FORMATS if form not in ("JPEG", "MPO")])
def test_others_with_too_many_pixels_are_refused_with_what_to_do(form: str) -> None:
    content = large(form)
    for read in (size_of, lambda one: decode(one, 32)):
        with pytest.raises(BrokenImage, match=r"0 megapixels, more pixels than .* save it smaller, or as a baseline"):
            read(content)


@pytest.mark.usefixtures("small_limits")
def test_progressive_jpegs_and_numbers_of_32_bits_have_limits_of_their_own() -> None:
    with pytest.raises(BrokenImage, match="progressive"):
        size_of(large("JPEG", progressive=True))
    numbers = encoded(Image.fromarray(np.zeros((60, 60), np.float32)), "TIFF")
    with pytest.raises(BrokenImage, match="32 bits each"):
        size_of(numbers)


def test_files_of_too_many_bytes_are_not_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = encoded(RED)
    (tmp_path / "red.png").write_bytes(content)
    monkeypatch.setattr(files, "MOST_BYTES", len(content) - 1)
    for source in (content, tmp_path / "red.png"):
        with pytest.raises(BrokenImage, match="GB, expected at most"):
            decode(source)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_an_image_is_read_alike_whether_it_is_large_for_memory_or_not(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is no multiple of the pixels that are enough."""
    waves = np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8)
    image = Image.fromarray(waves).convert(mode).resize((1003, 829), Image.Resampling.BICUBIC)
    content = encoded(image, "PNG")
    whole = decode(content, 16).astype(int)
    monkeypatch.setattr(files, "_ALONE", 100)
    assert np.abs(decode(content, 16) - whole).max() <= 6
    np.testing.assert_array_equal(from_array(np.asarray(image), 16), decode(content, 16))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1", "CMYK", "I;16", "I", "F", "LAB"])
def test_large_images_that_take_turns_come_out_the_same(
    mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    form = "TIFF" if mode in ("CMYK", "I", "F", "LAB") else "PNG"
    paths = [tmp_path / f"{number}.{form.lower()}" for number in range(6)]
    for path in paths:
        path.write_bytes(encoded(in_mode(mode), form, 6))
    (usual,) = stream(paths, 4, "rgb", 8, resizing=STRETCH)
    monkeypatch.setattr(files, "_ALONE", 100)
    (in_turns,) = stream(paths, 4, "rgb", 8, resizing=STRETCH)
    assert np.abs(in_turns.astype(int) - usual).max() <= 3
    # A whole part of the size that still has enough pixels.
    assert upright(paths[0], enough=8).size in {(12, 8), SIZE}


def test_drawing_instructions_are_refused_with_what_to_do() -> None:
    file = encoded(RED, "EPS")
    with pytest.raises(BrokenImage, match="EPS is not among the formats that are read: save it as PNG"):
        decode(file)


def test_a_heic_whose_pixels_are_not_of_the_size_it_gives_is_refused() -> None:
    """The size is what memory is counted by, and what the manifest says."""
    content = bytearray(encoded(in_mode("L"), "HEIF", 6))
    place = content.index(b"clap") + 28  # where the image lies within what is encoded: its vertical offset
    content[place : place + 4] = (-48).to_bytes(4, "big", signed=True)
    assert size_of(bytes(content)) == (48, 32)
    with pytest.raises(BrokenImage, match="it says 48 x 32 pixels and has"):
        decode(bytes(content))
