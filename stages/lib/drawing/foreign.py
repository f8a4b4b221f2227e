"""Images of something else, drawn: other animals, textures and noise, documents and screens."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from stages.lib.drawing.sample import PRETRAINING_ANIMALS, draw

_SIDE = 224  # pixels


def draw_foreign(kind: str, index: int, seed: int) -> Image.Image:
    """Draw one image; the same arguments give the same pixels.

    Args:
        kind: one of `KINDS`.
        index: number of the image, from 0.
        seed: of all images.

    Returns:
        RGB.
    """
    return _DRAWN[kind](index, np.random.default_rng([seed, list(_DRAWN).index(kind), index]))


def _animal(index: int, rng: np.random.Generator) -> Image.Image:
    animal = PRETRAINING_ANIMALS[index % len(PRETRAINING_ANIMALS)]
    return draw(animal, index, int(rng.integers(1 << 31)))


def _texture(index: int, rng: np.random.Generator) -> Image.Image:
    """In turn: noise of every pixel, noise of patches, clouds, stripes, checks."""
    across, down = np.meshgrid(np.linspace(0, 1, _SIDE), np.linspace(0, 1, _SIDE))
    turn = rng.uniform(0, np.pi)
    along = np.cos(turn) * across + np.sin(turn) * down
    beside = np.cos(turn) * down - np.sin(turn) * across
    often = rng.uniform(3, 40)
    kind = index % 5
    if kind == 0:
        return Image.fromarray(rng.integers(0, 256, (_SIDE, _SIDE, 3), np.uint8))
    if kind in (1, 2):
        patches = Image.fromarray(rng.integers(0, 256, (*rng.integers(4, 40, 2), 3), np.uint8))
        how = Image.Resampling.NEAREST if kind == 1 else Image.Resampling.BICUBIC
        return patches.resize((_SIDE, _SIDE), how)
    waves = np.sin(2 * np.pi * often * along)
    share = (waves if kind == 3 else np.sign(waves * np.sin(2 * np.pi * often * beside))) / 2 + 0.5
    one, other = rng.uniform(0, 255, (2, 3))
    return Image.fromarray((one + share[..., np.newaxis] * (other - one)).astype(np.uint8))


def _document(index: int, rng: np.random.Generator) -> Image.Image:
    """In turn: a page of lines of text, a table, a screen with windows."""
    image = Image.new("RGB", (_SIDE, _SIDE), tuple(int(value) for value in rng.integers(215, 256, 3)))
    pen, ink = ImageDraw.Draw(image), tuple(int(value) for value in rng.integers(0, 90, 3))
    kind, line = index % 3, int(rng.integers(9, 16))
    if kind == 1:
        step = int(rng.integers(20, 60))
        for place in range(10, _SIDE, step):
            pen.line([(place, 10), (place, _SIDE - 10)], ink)
        for place in range(10, _SIDE, line):
            pen.line([(10, place), (_SIDE - 10, place)], ink)
    if kind == 2:
        for _ in range(int(rng.integers(2, 5))):
            left, top = (int(value) for value in rng.integers(0, _SIDE - 80, 2))
            right, low = (int(value) for value in rng.integers(60, 160, 2))
            color = tuple(int(value) for value in rng.integers(0, 256, 3))
            pen.rectangle([left, top, left + right, top + low], (250, 250, 250), ink)
            pen.rectangle([left, top, left + right, top + 12], color, ink)
    for top in range(14, _SIDE - 14, line):
        _line_of_text(pen, (12, top), _SIDE - 12 - int(rng.integers(0, 90)), ink, rng)
    return image


def _line_of_text(
    pen: ImageDraw.ImageDraw, start: tuple[int, int], end: int, ink: tuple[int, ...], rng: np.random.Generator
) -> None:
    left, top = start
    while left < end:
        word = "".join(chr(97 + int(letter)) for letter in rng.integers(0, 26, rng.integers(2, 10)))
        pen.text((left, top), word, fill=ink)
        left += int(pen.textlength(word)) + 5


_DRAWN: dict[str, Callable[[int, np.random.Generator], Image.Image]] = {
    "other animals, drawn": _animal,
    "textures and noise": _texture,
    "documents and screens": _document,
}
KINDS = tuple(_DRAWN)
