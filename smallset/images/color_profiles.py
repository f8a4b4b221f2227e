"""Colour profiles: images of other colour spaces brought to sRGB, the space of nearly all images without one."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

# Of 255: a profile that changes no colour by more is one of the many spellings of sRGB.
_SAME = 2


def conversion_of(mode: str, profile: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """What brings the colours of an image to sRGB; None where it has no profile, or where nothing changes.

    A profile that is damaged or of another kind of pixels is left out of account, as every viewer does.

    Args:
        mode: of 8 bits a channel.
        profile: an ICC profile.
    """
    if mode == "LAB":
        return _from_lab()
    return _conversion(bytes(profile), _colors_of(mode)) if profile else None


def converted(image: Image.Image, conversion: ImageCms.ImageCmsTransform) -> Image.Image:
    """The image in sRGB, of mode "RGB" or, where it is transparent, "RGBA"."""
    mode = _colors_of(image.mode)
    colors = conversion.apply(image if image.mode == mode else image.convert(mode))
    if image.mode in ("LA", "RGBA"):
        colors.putalpha(image.getchannel("A"))
    return colors


def _colors_of(mode: str) -> str:
    """The mode without transparency and palette."""
    return {"1": "L", "L": "L", "LA": "L", "CMYK": "CMYK", "LAB": "LAB"}.get(mode, "RGB")


@lru_cache(maxsize=16)
def _conversion(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        conversion = ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    if mode == "CMYK":
        return conversion
    probe = _probe().convert(mode)
    before, after = (np.asarray(one, np.int16) for one in (probe.convert("RGB"), converted(probe, conversion)))
    return None if np.abs(before - after).max() <= _SAME else conversion


@lru_cache(maxsize=1)
def _from_lab() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")


def _probe() -> Image.Image:
    """Colours from all over the cube, greys among them."""
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3))
