"""Cartoon animals, drawn: pictures for a first run that needs no network, and none of anybody's pets.

Cats and dogs share colours, coats, places and poses; ears, muzzles, whiskers and tails tell them apart. Some dogs
have pointed ears and some cats folded ones, so no single part is enough.
"""

import io
import zlib

import numpy as np
from PIL import Image, ImageFilter

from stages.lib.drawing_animals import ANIMALS, draw_animal
from stages.lib.drawing_pen import Pen, rotation
from stages.lib.drawing_scene import draw_background, draw_foreground
from stages.lib.errors import UserError

TASK_ANIMALS = ("cat", "dog")
PRETRAINING_ANIMALS = tuple(sorted(set(ANIMALS) - set(TASK_ANIMALS)))

_SIDES = (96, 220)  # pixels
_OVERSAMPLING = 1.6


def draw(animal: str, index: int, seed: int) -> Image.Image:
    """Draw one picture; the same arguments give the same pixels.

    Args:
        animal: one of `TASK_ANIMALS` or `PRETRAINING_ANIMALS`.

    Returns:
        RGB, each side 96 to 220 pixels.

    Raises:
        UserError: no such animal.
    """
    if animal not in ANIMALS:
        raise UserError(f"animal: expected one of {', '.join(sorted(ANIMALS))}. Received: {animal!r}")
    # A checksum for the name: Python's own hash differs between two runs.
    rng = np.random.default_rng([seed, zlib.crc32(animal.encode()), index])
    size = (int(rng.integers(*_SIDES)), int(rng.integers(*_SIDES)))
    canvas = Image.new("RGB", (round(size[0] * _OVERSAMPLING), round(size[1] * _OVERSAMPLING)))
    pen = Pen(canvas)
    draw_background(pen, rng)
    draw_animal(_place(pen, rng), ANIMALS[animal], rng)
    draw_foreground(pen, rng)
    return _photograph(canvas.resize(size, Image.Resampling.BILINEAR), rng)


def jpeg(image: Image.Image) -> bytes:
    """The picture as a JPEG file."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    return file.getvalue()


def _place(pen: Pen, rng: np.random.Generator) -> Pen:
    # The animal's own frame: the centre of its head, one unit is half the width of the head.
    width, height = pen.canvas.size
    radius = min(width, height) * rng.uniform(0.13, 0.31)
    x, y = width * rng.uniform(0.28, 0.72), height * rng.uniform(0.3, 0.58)
    mirror = rng.choice([-1.0, 1.0])
    return pen.within(x, y, (mirror * radius, radius), rotation(rng.normal(0, 0.16)))


def _photograph(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Add what a camera adds: exposure, contrast, a colour cast, light from one side, blur and noise."""
    corners = Image.fromarray(rng.integers(150, 256, (2, 2), np.uint8))
    light = np.asarray(corners.resize(image.size, Image.Resampling.BILINEAR), np.float32)[..., np.newaxis] / 220
    if rng.random() < 0.35:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2.2) * min(image.size) / 128))
    pixels = (np.asarray(image, np.float32) - 128) * rng.uniform(0.5, 1.15) + 128 * rng.uniform(0.65, 1.3)
    pixels *= light * rng.uniform(0.88, 1.12, 3).astype(np.float32)
    grain = rng.uniform(2, 6) if rng.random() < 0.7 else rng.uniform(6, 24)
    pixels += grain * rng.standard_normal(pixels.shape, np.float32)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
