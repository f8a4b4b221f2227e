"""The pixels of any image that Pillow decodes as RGB or grey of 8 bits, transparent parts on white."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageFile
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, SAMPLEFORMAT

from smallset.images import color_profiles
from smallset.images.grey_range import eight_bits

Mode = Literal["RGB", "L"]
_WITHOUT_PREMULTIPLICATION = {"La": "LA", "RGBa": "RGBA"}
_TRANSPARENT = ("LA", "RGBA")
# Palette numbers have no mean, and Pillow has none of 16 bits.
_REDUCIBLE = ("L", "LA", "RGB", "RGBA", "CMYK")
# The largest value of a channel whose lower 8 of 16 bits are gone: up to the first it had 12 bits at most, of which
# 4 are left; up to the second 14, of which 6 are.
_OF_12_BITS, _OF_14_BITS = 16, 64
_WHITE_IS_ZERO, _WITHOUT_SIGN, _WITH_SIGN = 0, 1, 2  # values of tags of TIFF


def loses_bits(image: ImageFile.ImageFile) -> bool:
    """Whether an open image, not yet decoded, has channels of 16 bits, of which Pillow decodes the upper 8."""
    if not image.tile or _is_grey_range(image):
        return False
    arguments = image.tile[0].args
    names = arguments if isinstance(arguments, tuple) else (arguments,)
    of_ppm = image.tile[0].codec_name.startswith("ppm") and isinstance(names[-1], int) and names[-1] > 255
    return of_ppm or (isinstance(names[0], str) and ";16" in names[0])


def check_numbers(image: ImageFile.ImageFile) -> None:
    """Refuse an open TIFF whose numbers Pillow takes for others.

    Raises:
        ValueError: it has 8 bits with a sign.
    """
    tags = getattr(image, "tag_v2", {})
    if image.mode not in ("I", "F") and _first(tags, SAMPLEFORMAT) == _WITH_SIGN:
        raise ValueError("numbers of 8 bits with a sign: save it without")


def reduced(image: Image.Image, enough: int) -> Image.Image:
    """The image scaled down, with `enough` pixels on both sides or more; itself where its mode has no mean."""
    factor = min(image.size) // enough
    if factor <= 1 or image.mode not in _REDUCIBLE:
        return image
    # Not `reduce`, which takes whole pixels together and pads the last: all else would move by up to half a pixel.
    return image.resize((round(image.width / factor), round(image.height / factor)), Image.Resampling.BOX)


def as_mode(image: Image.Image, mode: Mode, lost_bits: bool) -> Image.Image:
    """The image in 8 bits a channel, its colours those of sRGB.

    Values of more than 8 bits become 8 as `grey_range.eight_bits` says.

    Args:
        image: decoded.
        mode: RGB or L, which is grey.
        lost_bits: what `loses_bits` said of it before.

    Raises:
        ValueError: its values cannot be told.
    """
    converted = _grey(image) if _is_grey_range(image) else _of_8_bits(image, lost_bits)
    if (conversion := color_profiles.conversion_of(converted.mode, image.info.get("icc_profile"))) is not None:
        converted = color_profiles.converted(converted, conversion)
    if converted.mode in _TRANSPARENT:
        converted = converted.convert("RGBA")
        converted = Image.alpha_composite(Image.new("RGBA", converted.size, "white"), converted)
    return converted if converted.mode == mode else converted.convert(mode)


def _grey(image: Image.Image) -> Image.Image:
    tags = getattr(image, "tag_v2", {})  # of a TIFF
    values = np.asarray(image)
    if image.mode == "I" and _first(tags, SAMPLEFORMAT) == _WITHOUT_SIGN:
        values = values.view(np.uint32)  # which Pillow takes for numbers with a sign
    grey = eight_bits(values)
    # Radiographs are often kept so; of 8 bits Pillow inverts them itself.
    if _first(tags, PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO:
        grey = 255 - grey
    transparent = image.info.get("transparency")
    return Image.fromarray(grey if transparent is None else np.where(values == transparent, np.uint8(255), grey))


def _first(tags: Mapping[int, Any], tag: int) -> Any:
    value = tags.get(tag)
    return value[0] if isinstance(value, tuple) and value else value


def _of_8_bits(image: Image.Image, lost_bits: bool) -> Image.Image:
    transparent = image.info.get("transparency")
    if lost_bits and isinstance(transparent, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in transparent)
    if image.mode in _WITHOUT_PREMULTIPLICATION:
        image = image.convert(_WITHOUT_PREMULTIPLICATION[image.mode])
    elif image.mode == "PA" or transparent is not None:
        image = image.convert("RGBA")
    return _raised(image) if lost_bits else image


def _is_grey_range(image: Image.Image) -> bool:
    """Whether the image is grey of more than 8 bits."""
    return image.mode in ("I", "F") or image.mode.startswith("I;")


def _raised(image: Image.Image) -> Image.Image:
    """An image of 14 bits in channels of 16 at its own brightness; one of 16 as it is."""
    if image.mode == "CMYK":  # whose largest values are the darkest
        return image
    colors = [image.getchannel(band) for band in image.getbands() if band != "A"]
    largest = max(int(np.asarray(color).max()) for color in colors)
    if largest > _OF_14_BITS:
        return image
    if largest <= _OF_12_BITS:
        raise ValueError("colours of 12 bits at most in channels of 16: save it in 8 bits, or scaled up to 16")
    raised = [color.point(lambda value: min(255, value * 256 // _OF_14_BITS)) for color in colors]
    return Image.merge(image.mode, raised + [image.getchannel(band) for band in image.getbands() if band == "A"])
