"""What is behind and before a drawn animal."""

import numpy as np
from PIL import Image

from stages.lib.drawing.pen import CIRCLE, Color, Pen, any_color, closed, jitter, rotation, shade

_SKY, _GRASS, _WOOD = (150, 200, 235), (110, 165, 80), (170, 125, 85)


def draw_background(pen: Pen, rng: np.random.Generator) -> None:
    """Fill the canvas with a place: a meadow, a room, a beach of colours, or clouds of colour."""
    places = (_meadow, _room, _patches, _clouds)
    places[rng.integers(len(places))](pen, rng)
    for _ in range(rng.integers(0, 5)):
        _thing(pen, rng, rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.04, 0.16))


def draw_foreground(pen: Pen, rng: np.random.Generator) -> None:
    """Perhaps hide a part of the animal behind grass, a pole or a thing."""
    width, height = pen.canvas.size
    hidden = rng.random()
    if hidden < 0.15:
        color = jitter(_GRASS, 40, rng)
        for x in rng.uniform(0, width, 26):
            tip, top = x + rng.normal(0, 9), height * rng.uniform(0.62, 0.85)
            pen.shape([(x - 4, height), (tip, top), (x + 4, height)], shade(color, rng.uniform(0.7, 1.1)))
    elif hidden < 0.25:
        x, half = width * rng.uniform(0.2, 0.8), width * rng.uniform(0.015, 0.05)
        lean = width * rng.normal(0, 0.06)
        pole = [(x - half, 0), (x + half, 0), (x + half + lean, height), (x - half + lean, height)]
        pen.shape(pole, jitter(_WOOD, 50, rng), shade(_WOOD, 0.5), 1.5)
    elif hidden < 0.45:
        _thing(pen, rng, rng.uniform(0.1, 0.9), rng.uniform(0.25, 1.0), rng.uniform(0.09, 0.2))


def _meadow(pen: Pen, rng: np.random.Generator) -> None:
    width, height = pen.canvas.size
    sky, grass = jitter(_SKY, 45, rng), jitter(_GRASS, 45, rng)
    _gradient(pen, sky, shade(sky, 1.5))
    if rng.random() < 0.5:
        radius = min(width, height) * rng.uniform(0.06, 0.12)
        pen.oval(width * rng.uniform(0.1, 0.9), height * 0.15, radius, radius, jitter((250, 225, 120), 20, rng))
    for share in (0.55, 0.68, 0.8):
        x, y = width * rng.uniform(0, 1), height * (share + rng.uniform(-0.06, 0.06))
        pen.oval(x, y + height * 0.5, width * rng.uniform(0.6, 1.2), height * 0.5, shade(grass, 1.45 - share * 0.6))
    pen.shape([(0, height * 0.85), (width, height * 0.8), (width, height), (0, height)], shade(grass, 0.85))


def _room(pen: Pen, rng: np.random.Generator) -> None:
    width, height = pen.canvas.size
    wall, floor = jitter((195, 180, 165), 60, rng), jitter(_WOOD, 50, rng)
    _gradient(pen, wall, shade(wall, 0.85))
    if rng.random() < 0.5:
        for x in np.arange(rng.uniform(0, 30), width, rng.uniform(18, 50)):
            pen.shape([(x, 0), (x + 7, 0), (x + 7, height), (x, height)], shade(wall, 0.92))
    left, top = width * rng.uniform(0, 0.7), height * rng.uniform(0.02, 0.2)
    right, low = left + width * rng.uniform(0.2, 0.4), top + height * rng.uniform(0.2, 0.35)
    frame = [(left, top), (right, top), (right, low), (left, low)]
    pen.shape(frame, any_color(rng), shade(floor, 0.6), 5)
    line = height * rng.uniform(0.65, 0.85)
    pen.shape([(0, line), (width, line), (width, height), (0, height)], floor, shade(floor, 0.7), 2)


def _patches(pen: Pen, rng: np.random.Generator) -> None:
    color = any_color(rng)
    _gradient(pen, color, any_color(rng))
    for _ in range(rng.integers(4, 9)):
        _thing(pen, rng, rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.08, 0.3))


def _clouds(pen: Pen, rng: np.random.Generator) -> None:
    cells = int(rng.integers(3, 9))
    base = np.array(any_color(rng))
    colors = (base + rng.normal(0, rng.uniform(15, 60), (cells, cells, 3))).clip(0, 255).astype(np.uint8)
    pen.canvas.paste(Image.fromarray(colors).resize(pen.canvas.size, Image.Resampling.BICUBIC))


def _gradient(pen: Pen, top: Color, bottom: Color) -> None:
    two = Image.fromarray(np.array([[top], [bottom]], np.uint8))
    pen.canvas.paste(two.resize(pen.canvas.size, Image.Resampling.BILINEAR))


def _thing(pen: Pen, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    """A ball, box, cone, leaf or pebble; the corners and round shapes of animals, without being one."""
    width, height = pen.canvas.size
    radius = size * min(width, height)
    color = any_color(rng)
    kind = rng.integers(0, 5)
    if kind == 0:
        points = CIRCLE
    elif kind == 1:
        points = np.array([(-1, -0.7), (1, -0.7), (1, 0.7), (-1, 0.7)])
    elif kind == 2:
        points = np.array([(-0.7, 0.8), (0, -1), (0.7, 0.8)])
    elif kind == 3:
        points = closed([(-1.2, 0), (0, -0.6), (1.2, 0), (0, 0.6)])
    else:
        points = closed(CIRCLE[::5] * rng.uniform(0.6, 1.2, (7, 1)))
    turned = points @ rotation(rng.uniform(-0.6, 0.6)).T * radius + (x * width, y * height)
    pen.shape(turned, color, shade(color, 0.6) if rng.random() < 0.6 else None, 2)
