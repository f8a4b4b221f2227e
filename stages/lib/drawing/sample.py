"""Cartoon animals, drawn: images for a first run that needs no network, and none of anybody's pets.

Cats and dogs share colours, coats, places and poses; ears, muzzles, whiskers and tails tell them apart. Some dogs
have pointed ears and some cats folded ones, so no single part is enough.
"""

import io
import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from PIL import Image, ImageFilter

from stages.lib.core.errors import UserError
from stages.lib.drawing.animals import ANIMALS, draw_animal
from stages.lib.drawing.pen import Pen, rotation
from stages.lib.drawing.scene import draw_background, draw_foreground
from stages.lib.images.decode import decode

TASK_ANIMALS = ("cat", "dog")
PRETRAINING_ANIMALS = tuple(sorted(set(ANIMALS) - set(TASK_ANIMALS)))

_SIDES = (96, 220)  # pixels
_OVERSAMPLING = 1.6


def draw(animal: str, index: int, seed: int) -> Image.Image:
    """Draw one image; the same arguments give the same pixels.

    Args:
        animal: one of `TASK_ANIMALS` or `PRETRAINING_ANIMALS`.
        index: number of the image, from 0.
        seed: of all images.

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
    """The image as a JPEG file."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    return file.getvalue()


def draw_set(animals: Sequence[str], count: int, image_size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` images of each animal, as they look after being saved, read back and resized.

    Args:
        animals: some of `TASK_ANIMALS` and `PRETRAINING_ANIMALS`.
        count: of each.
        image_size: height and width in pixels that they get.
        seed: of all images.

    Returns:
        Images uint8 (animals * count, image_size, image_size, 3) in [0, 255], and labels int64 (animals * count,),
        indices into `animals`.
    """
    # New processes rather than forks: a fork of a process that runs TensorFlow's threads may hang.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        draw_one = partial(_drawn, image_size=image_size, seed=seed)
        jobs = [(animal, index) for animal in animals for index in range(count)]
        images = np.stack(list(pool.map(draw_one, jobs, chunksize=50)))
    return images, np.repeat(np.arange(len(animals), dtype=np.int64), count)


def _drawn(job: tuple[str, int], image_size: int, seed: int) -> np.ndarray:
    return decode(jpeg(draw(*job, seed)), image_size)


def _place(pen: Pen, rng: np.random.Generator) -> Pen:
    # The animal's own frame: the centre of its head, one unit is half the width of the head.
    width, height = pen.canvas.size
    radius = min(width, height) * rng.uniform(0.23, 0.33)
    x, y = width * rng.uniform(0.4, 0.6), height * rng.uniform(0.38, 0.52)
    mirror = rng.choice([-1.0, 1.0])
    return pen.within(x, y, (mirror * radius, radius), rotation(rng.normal(0, 0.1)))


def _photograph(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Add what a camera adds: exposure, contrast, a colour cast, light from one side, blur and noise."""
    corners = Image.fromarray(rng.integers(180, 256, (2, 2), np.uint8))
    light = np.asarray(corners.resize(image.size, Image.Resampling.BILINEAR), np.float32)[..., np.newaxis] / 220
    if rng.random() < 0.25:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.5) * min(image.size) / 128))
    pixels = (np.asarray(image, np.float32) - 128) * rng.uniform(0.75, 1.2) + 128 * rng.uniform(0.75, 1.2)
    pixels *= light * rng.uniform(0.9, 1.1, 3).astype(np.float32)
    grain = rng.uniform(1, 4) if rng.random() < 0.8 else rng.uniform(5, 15)
    pixels += grain * rng.standard_normal(pixels.shape, np.float32)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
