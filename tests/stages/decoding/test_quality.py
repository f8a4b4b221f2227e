"""How bright and how sharp: figures that order images as an eye would, whatever their size."""

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage

from stages.lib.decoding.quality import SIDE, brightness, sharpness
from stages.lib.drawing.sample import draw

CAT = draw("cat", 1, 1).convert("L")


@pytest.mark.parametrize(("shade", "expected"), [(0, 0.0), (51, 0.2), (255, 1.0)])
def test_brightness_is_the_mean_grey(shade: int, expected: float) -> None:
    assert brightness(Image.new("L", (30, 20), shade)) == pytest.approx(expected)


def test_half_black_half_white_is_half_bright() -> None:
    pixels = np.zeros((10, 10), np.uint8)
    pixels[:5] = 255
    assert brightness(Image.fromarray(pixels)) == pytest.approx(0.5)


def test_sharpness_of_one_bright_pixel() -> None:
    """Its Laplacian is -4 times the pixel there and the pixel at four neighbours, 0 elsewhere: mean 0."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[50, 60] = 100
    assert sharpness(Image.fromarray(pixels)) == pytest.approx((4**2 + 4) * 100**2 / SIDE**2, rel=1e-4)


def test_a_plain_image_has_no_sharpness() -> None:
    assert sharpness(Image.new("L", (300, 40), 90)) == 0


def test_the_more_blurred_the_less_sharp() -> None:
    found = [sharpness(CAT.filter(ImageFilter.GaussianBlur(radius))) for radius in (0, 1, 2, 4)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 5 * found[-1]


def test_sizes_compare() -> None:
    """A sharp image stays sharper than a blurred one when it is stored at twice the size."""
    blurred = sharpness(CAT.filter(ImageFilter.GaussianBlur(3)))
    larger = CAT.resize((CAT.width * 2, CAT.height * 2), Image.Resampling.BICUBIC)
    assert sharpness(larger) == pytest.approx(sharpness(CAT), rel=0.5)
    assert sharpness(larger) > 2 * blurred


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (3, 2)])
def test_images_of_any_shape(size: tuple[int, int]) -> None:
    assert np.isfinite(sharpness(Image.new("L", size)))


def test_sharpness_is_that_of_the_library() -> None:
    pixels = np.asarray(CAT.resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float32)
    assert sharpness(CAT) == ndimage.laplace(pixels).var()
