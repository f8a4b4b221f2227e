"""Every image ends upright, in 8 bits and in the colours that a viewer shows."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smallset.images.broken import BrokenImage
from smallset.images.decode import decode, size_of, upright
from smallset.images.grey_range import eight_bits
from tests.stages.image_inputs import (
    DEEP,
    FORMATS,
    MODES,
    OF_8_BITS,
    ORIENTED,
    SIZE,
    colors_of_16_bits,
    encoded,
    expected,
    grey_ink,
    grey_tiff,
    in_mode,
    profile,
)

RAMP = np.linspace(0, 1, 800).reshape(20, 40)
SRGB = np.array([(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)])
DISPLAY_P3 = np.array([(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)])
ADOBE_RGB = np.array([(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)])


@pytest.mark.parametrize("form", FORMATS)
def test_every_mode_ends_upright_with_its_own_values(form: str, tmp_path: Path) -> None:
    written, file = [], tmp_path / "image"
    for mode in MODES:
        if form in OF_8_BITS and mode in DEEP:
            continue
        for orientation in range(1, 9) if form in ORIENTED else [1]:
            try:
                content = encoded(in_mode(mode), form, orientation)
            except (OSError, ValueError, KeyError):
                continue
            written.append(mode)
            file.write_bytes(content)
            where = f"{mode}, orientation {orientation}"
            # The archive is read as bytes and the dataset as files: Pillow goes two ways.
            for source, color in product((content, file), ("rgb", "grey")):
                assert size_of(source) == SIZE, where
                found = decode(source, None, color).astype(int)
                assert found.shape[:2] == SIZE[::-1], where
                # The middle of each quarter: lossy formats blur their borders.
                difference = np.abs(found - expected(mode)[..., np.newaxis])[5::16, 7::24]
                assert difference.max() <= 6, where
    assert {"L", "RGB"} <= set(written)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "L", "RGB", "I;16"])
def test_transparent_parts_are_white_and_upright(mode: str) -> None:
    black = Image.new("RGBA", (6, 4), "black")
    black.paste((0, 0, 0, 0), (0, 0, 6, 2))
    options: dict[str, object] = {}
    if mode in ("LA", "RGBA"):
        image = black.convert(mode)
    else:
        marked = np.zeros((4, 6), np.uint16 if mode == "I;16" else np.uint8)
        marked[:2] = 1
        image = Image.fromarray(marked)
        image = image if mode == "I;16" else image.convert(mode)
        if mode == "P":
            image.putpalette([0, 0, 0] * 256)
        options["transparency"] = (1, 1, 1) if mode == "RGB" else 1
    for orientation in (1, 3, 6):
        found = decode(encoded(image, "PNG", orientation, **options))
        assert (found[:2] == 255).all()
        assert (found[2:] == 0).all()


def test_a_palette_with_shares_of_transparency_lies_on_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 0, 0, 0])
    image.putpixel((1, 0), 1)
    assert decode(encoded(image, "PNG", transparency=bytes([255, 51])))[0, :, 0].tolist() == [0, 204]


@pytest.mark.parametrize(
    ("values", "black", "white"),
    [
        (RAMP * 65535, 0, 255),
        (RAMP * 16383, 0, 255),
        (RAMP * 4095, 0, 255),
        (RAMP * 1023, 0, 255),
        (RAMP * 255, 0, 255),
        (RAMP * 3000, 0, 187),  # 12 bits, the brightest not quite white
        (RAMP * 40000, 0, 156),  # an image of 16 bits that is a little dark stays so
        (RAMP * 5, 0, 255),  # numbers of things
        (RAMP * 4095 - 1024, 0, 255),  # a scanner's units, from air up
        (RAMP * (2**32 - 1) - 2**31, 0, 255),
        (RAMP * (2**31 - 1), 0, 127),
        (RAMP * 0, 0, 0),
    ],
)
def test_whole_numbers_are_scaled_by_the_depth_that_holds_them(values: np.ndarray, black: int, white: int) -> None:
    found = eight_bits(np.rint(values).astype(np.int64))
    assert (found.dtype, found.shape) == (np.uint8, values.shape)
    assert (found.min(), found.max()) == (black, white)
    steps = np.diff(found.ravel().astype(int))
    assert steps.min() >= 0


@pytest.mark.parametrize(
    ("values", "black", "white"),
    [
        (RAMP, 0, 255),
        (RAMP * 0.5, 0, 128),
        (RAMP * 1.06 - 0.03, 0, 255),  # resampled: a little beyond both ends
        (RAMP * 2 - 1, 0, 255),
        (RAMP - 0.5, 64, 191),  # of -1 ... 1
        (RAMP * 255, 0, 255),
        (RAMP * 200, 0, 200),
        (RAMP * 4095, 0, 255),
        (RAMP * 65535, 0, 255),
        (RAMP * 6 - 3, 0, 255),  # standardised: no known range, so from its smallest to its largest
        (RAMP * 1e-4, 0, 255),
        (RAMP * 1e30, 0, 255),
        (RAMP * 4095 - 1024, 0, 255),
    ],
)
def test_fractions_are_scaled_by_the_range_that_holds_them(values: np.ndarray, black: int, white: int) -> None:
    found = eight_bits(values.astype(np.float32))
    assert (found.min(), found.max()) == (black, white)


@pytest.mark.parametrize("values", [RAMP * 65535, RAMP * 4095, RAMP * 255], ids=["16 bits", "12 bits", "8 bits"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_tiff_says_whether_its_smallest_value_is_black_or_white(values: np.ndarray, orientation: int) -> None:
    found = []
    for smallest_is_black in (1, 0):
        content = grey_tiff(values.astype("<u1" if values.max() < 256 else "<u2"), smallest_is_black, orientation)
        found.append(decode(content)[..., 0].astype(int))
    assert (found[0].min(), found[0].max()) == (0, 255)
    assert np.abs(found[0] + found[1] - 255).max() <= 1


@pytest.mark.parametrize(
    ("values", "kind"),
    [((RAMP * 200 - 100).astype("i1"), "i1"), ((RAMP * 4e9).astype("<u4"), "u4"), (RAMP.astype("<f4"), "f4")],
    ids=["8 bits with a sign", "32 bits without", "fractions"],
)
def test_numbers_of_a_tiff_are_not_garbled(values: np.ndarray, kind: str) -> None:
    if kind == "i1":
        with pytest.raises(BrokenImage, match="8 bits with a sign"):
            decode(grey_tiff(values))
    else:
        assert (np.diff(decode(grey_tiff(values))[..., 0].astype(int).ravel()) >= 0).all()


def test_what_is_no_number_is_black_and_infinity_white() -> None:
    values = np.array([[0.5, np.nan, np.inf, -np.inf, 1.0]], np.float32)
    assert eight_bits(values).tolist() == [[128, 0, 255, 0, 255]]
    with pytest.raises(BrokenImage, match="none of its values is a number"):
        decode(encoded(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM", "JPEG2000"])
@pytest.mark.parametrize("bits", [12, 14, 16])
def test_fewer_bits_in_a_file_of_sixteen_are_not_black(form: str, bits: int) -> None:
    image = Image.fromarray((RAMP * (2**bits - 1)).astype(np.uint16))
    found = decode(encoded(image, form), color="grey")[..., 0]
    assert np.abs(found.astype(int) - np.rint(RAMP * 255)).max() <= 1


@pytest.mark.parametrize("form", ["PNG", "PPM", "TIFF"])
@pytest.mark.parametrize("bits", [8, 12])
def test_colours_that_lost_their_bits_are_refused_with_what_to_do(form: str, bits: int) -> None:
    with pytest.raises(BrokenImage, match="save it in 8 bits, or scaled up to 16"):
        decode(colors_of_16_bits(form, RAMP * (2**bits - 1)))


@pytest.mark.parametrize("form", ["PNG", "PPM", "TIFF"])
@pytest.mark.parametrize(("bits", "step"), [(14, 4), (16, 1)])
def test_colours_of_fourteen_bits_are_as_bright_as_those_of_sixteen(form: str, bits: int, step: int) -> None:
    found = decode(colors_of_16_bits(form, RAMP * (2**bits - 1)))[..., 0]
    assert np.abs(found.astype(int) - np.rint(RAMP * 255)).max() <= step


def in_srgb(color: tuple[int, int, int], primaries: np.ndarray) -> np.ndarray:
    """The colour in sRGB, computed from the primaries of both spaces and the tone curve of sRGB."""
    share = np.array(color) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    other = (linear @ primaries @ np.linalg.inv(SRGB)).clip(0, 1)
    return 255 * np.where(other <= 0.0031308, other * 12.92, 1.055 * other ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("primaries", [DISPLAY_P3, ADOBE_RGB], ids=["Display P3", "Adobe RGB"])
@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF", "HEIF"])
def test_other_colour_spaces_become_srgb(form: str, primaries: np.ndarray) -> None:
    color = (180, 100, 90)
    content = encoded(Image.new("RGB", (16, 16), color), form, icc_profile=profile(*primaries))
    wanted = in_srgb(color, primaries)
    assert np.abs(wanted - color).max() > 8
    assert np.abs(decode(content)[8, 8] - wanted).max() < 3
    grey = wanted @ (0.299, 0.587, 0.114)
    assert abs(decode(content, 8, "grey")[4, 4, 0] - grey) < 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_images_that_say_they_are_srgb_stay_as_they_are(mode: str) -> None:
    image = Image.effect_noise((32, 32), 60).convert("RGB").convert(mode)
    content = encoded(image, "PNG", icc_profile=profile(*SRGB))
    assert np.array_equal(decode(content), np.asarray(image.convert("RGB")))


def test_a_transparent_image_keeps_its_transparency_through_a_profile() -> None:
    image = Image.new("RGBA", (2, 2), (180, 100, 90, 0))
    assert (decode(encoded(image, "PNG", icc_profile=profile(*DISPLAY_P3))) == 255).all()


def test_inks_are_shown_as_their_profile_says() -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    assert decode(encoded(cyan, "TIFF"))[8, 8].tolist() == [0, 255, 255]
    found = decode(encoded(cyan, "TIFF", icc_profile=grey_ink()))[8, 8].astype(int)
    assert np.ptp(found) <= 2
    assert 150 < found[0] < 180  # lightness 66.7


@pytest.mark.parametrize("damaged", [b"", b"no profile", profile(*DISPLAY_P3)[:200], grey_ink()])
def test_a_profile_that_does_not_fit_is_left_out_of_account(damaged: bytes) -> None:
    image = Image.new("RGB", (4, 4), (180, 100, 90))
    assert decode(encoded(image, "PNG", icc_profile=damaged))[0, 0].tolist() == [180, 100, 90]


def test_of_several_images_it_is_the_first() -> None:
    red, blue = (Image.new("RGB", (16, 16), color) for color in ("red", "blue"))
    for form in ("TIFF", "GIF", "PNG", "WEBP", "AVIF", "MPO"):
        found = decode(encoded(red, form, save_all=True, append_images=[blue]))[8, 8].astype(int)
        assert np.abs(found - (255, 0, 0)).max() < 6, form


def test_the_size_is_that_of_the_decoded_image_where_only_xmp_tells_the_orientation() -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><d tiff:Orientation="6"/></x:xmpmeta>'
    for form in ("JPEG", "WEBP", "TIFF"):
        options = {"tiffinfo": {700: xmp}} if form == "TIFF" else {"xmp": xmp, "exif": b""}
        content = encoded(Image.new("RGB", (6, 4)), form, 0 if form == "TIFF" else 1, **options)
        assert size_of(content) == upright(content).size, form
