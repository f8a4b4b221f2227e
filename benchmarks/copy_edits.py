"""Edits of a photograph that leave it a copy of itself."""

import io
import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

Edit = Callable[[Image.Image, np.random.Generator], Image.Image]


def recompressed(image: Image.Image, quality: int) -> Image.Image:
    """The image after it was saved as a JPEG."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def resized(image: Image.Image, across: float, down: float) -> Image.Image:
    """Both sides times a factor each."""
    size = max(8, round(image.width * across)), max(8, round(image.height * down))
    return image.resize(size, Image.Resampling.LANCZOS)


def cropped(image: Image.Image, keep: float, left: float, top: float) -> Image.Image:
    """A share of both sides; left, top: in [0, 1], where the rest is cut away."""
    width, height = round(image.width * keep), round(image.height * keep)
    x, y = round(left * (image.width - width)), round(top * (image.height - height))
    return image.crop((x, y, x + width, y + height))


def turned(image: Image.Image, degrees: float) -> Image.Image:
    """Rotated about the centre, and cropped to what holds no corner of the ground."""
    sine, cosine = abs(math.sin(math.radians(degrees))), math.cos(math.radians(degrees))
    longer, shorter = max(image.size), min(image.size)
    keep = shorter / (longer * sine + shorter * cosine)
    return cropped(image.rotate(degrees, Image.Resampling.BICUBIC), keep, 0.5, 0.5)


def framed(image: Image.Image, share: float, color: str) -> Image.Image:
    """With a border of a share of the shorter side."""
    return ImageOps.expand(image, round(share * min(image.size)), color)


def _sign(rng: np.random.Generator) -> int:
    return int(rng.choice((-1, 1)))


def _several(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Two of the edits at random, and a recompression."""
    for name in rng.choice(sorted(_SINGLE), 2, replace=False).tolist():
        image = _SINGLE[name](image, rng)
    return recompressed(image, int(rng.integers(50, 91)))


_SINGLE: dict[str, Edit] = {
    "resized": lambda image, rng: resized(image, *[float(rng.uniform(0.5, 1.5))] * 2),
    "mirrored": lambda image, rng: ImageOps.mirror(image),
    "cropped": lambda image, rng: cropped(image, 0.95, *rng.random(2).tolist()),
    "brightness": lambda image, rng: ImageEnhance.Brightness(image).enhance(float(rng.uniform(0.85, 1.15))),
}
EDITS: dict[str, Edit] = {
    "recompressed, quality 30": lambda image, rng: recompressed(image, 30),
    "recompressed, quality 60": lambda image, rng: recompressed(image, 60),
    "recompressed, quality 90": lambda image, rng: recompressed(image, 90),
    "resized to 50 %": lambda image, rng: resized(image, 0.5, 0.5),
    "resized to 150 %": lambda image, rng: resized(image, 1.5, 1.5),
    "one side 10 % longer": lambda image, rng: resized(image, 1.1, 1.0),
    "mirrored": lambda image, rng: ImageOps.mirror(image),
    "cropped to 90 %, centre": lambda image, rng: cropped(image, 0.9, 0.5, 0.5),
    "cropped to 90 %, elsewhere": lambda image, rng: cropped(image, 0.9, *rng.random(2).tolist()),
    "brightness +20 %": lambda image, rng: ImageEnhance.Brightness(image).enhance(1.2),
    "brightness -20 %": lambda image, rng: ImageEnhance.Brightness(image).enhance(0.8),
    "contrast +20 %": lambda image, rng: ImageEnhance.Contrast(image).enhance(1.2),
    "contrast -20 %": lambda image, rng: ImageEnhance.Contrast(image).enhance(0.8),
    "rotated by 2 degrees": lambda image, rng: turned(image, 2.0 * _sign(rng)),
    "rotated, corners black": lambda image, rng: image.rotate(2.0 * _sign(rng), Image.Resampling.BICUBIC),
    "border of 5 %, white": lambda image, rng: framed(image, 0.05, "white"),
    "border of 5 %, black": lambda image, rng: framed(image, 0.05, "black"),
    "two edits and recompressed": _several,
}
