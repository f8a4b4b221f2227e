"""Ears, eyes, muzzles and manes, in the frame of a head: one unit is half its width, y points down."""

from dataclasses import dataclass

import numpy as np

from stages.lib.drawing.pen import CIRCLE, Color, Paint, Pen, closed, jitter, rotation, shade

_PINK, _DARK = (225, 150, 150), (45, 38, 40)

# The right ear; the left one is its mirror image. Sharp corners are those of a polygon, the others are smoothed.
_SHARP = {
    "pointed": [(0.12, -0.7), (0.74, -1.38), (0.95, -0.25)],
    "tall": [(0.1, -0.6), (0.7, -1.6), (0.98, -0.2)],
    "tufts": [(0.2, -0.75), (0.9, -1.25), (0.85, -0.45)],
}
_SMOOTH = {
    "floppy": [(0.35, -0.9), (1.0, -0.95), (1.35, -0.2), (1.3, 0.75), (0.95, 0.6), (0.85, -0.2)],
    "half": [(0.15, -0.75), (0.55, -1.4), (1.1, -1.3), (1.55, -0.55), (1.0, -0.7), (0.9, -0.3)],
    "folded": [(0.2, -0.75), (0.7, -1.1), (1.1, -0.55), (0.75, -0.35), (0.4, -0.5)],
    "round": [(0.4, -0.9), (0.75, -1.25), (1.15, -0.95), (1.1, -0.45), (0.7, -0.4)],
    "low": [(0.85, -0.4), (1.3, -0.55), (1.5, 0.0), (1.2, 0.4), (0.85, 0.3)],
    "large": [(0.35, -0.7), (0.5, -1.6), (1.3, -1.75), (1.7, -1.0), (1.2, -0.3), (0.6, -0.3)],
    "fluffy": [(0.5, -0.8), (0.9, -1.4), (1.7, -1.1), (1.75, -0.2), (1.2, 0.2), (0.8, -0.2)],
    "long": [(0.1, -0.7), (0.05, -1.8), (0.45, -2.7), (0.85, -1.8), (0.65, -0.6)],
    "lop": [(0.2, -0.95), (0.9, -1.2), (1.5, -0.3), (1.45, 1.5), (0.95, 1.2), (0.9, -0.3)],
    "side": [(0.6, -0.7), (1.3, -0.75), (1.9, -0.35), (1.3, -0.05), (0.7, -0.3)],
    "flap": [(0.2, -0.8), (0.75, -1.3), (1.25, -0.9), (1.0, -0.2), (0.6, -0.55)],
}
EARS_IN_FRONT = ("floppy", "folded", "lop", "flap")
_INNER = ("pointed", "tall", "round", "large", "long", "low", "side", "fluffy")


@dataclass(frozen=True)
class Face:
    """Colours of a face, and how far it is turned to the right, from 0."""

    color: Color
    light: Color
    edge: Color
    yaw: float


def draw_ears(pen: Pen, kind: str, coat: Paint, face: Face, size: float, turn: float) -> None:
    """Draw both ears, the one that the head turns away a little narrower."""
    if kind == "none":
        return
    outline = np.array(_SHARP[kind]) if kind in _SHARP else closed(_SMOOTH[kind])
    root = outline[[0, -1]].mean(axis=0)
    outline = (outline - root) * size @ rotation(turn).T + root
    inner = (outline - outline.mean(axis=0)) * 0.6 + outline.mean(axis=0)
    for side in (-1, 1):
        ear = pen.within(0, 0, (side * (1 + side * -0.2 * face.yaw), 1))
        ear.shape(outline, coat if kind not in EARS_IN_FRONT else shade(face.color, 0.82), face.edge)
        if kind in _INNER:
            ear.shape(inner, shade(_PINK, min(1.0, sum(face.color) / 500 + 0.35)))


def draw_mane(pen: Pen, wool: bool, face: Face, rng: np.random.Generator) -> None:
    """Draw a lion's mane all around the head, or a sheep's wool on top of it."""
    color = face.light if wool else shade(face.color, 0.65)
    middle, radius, lump = (-0.45, 0.75, 0.34) if wool else (0.0, 1.15, 0.38)
    for x, y in CIRCLE[::3] * (radius * 1.05, radius):
        pen.oval(x, y + middle, lump * rng.uniform(0.9, 1.2), lump, color, face.edge)
    pen.oval(0, middle, radius, radius, color)


def draw_eyes(pen: Pen, extras: tuple[str, ...], face: Face, rng: np.random.Generator) -> None:
    """Draw two eyes, open or closed; horns too, which stand above them."""
    if "horns" in extras:
        for side in (-1, 1):
            pen.limb([(side * 0.55, -0.8), (side * 0.95, -1.1), (side * 0.9, -1.6)], 0.16, 0.04, (225, 215, 190), _DARK)
    x, y, size = rng.uniform(0.36, 0.46), rng.uniform(-0.24, -0.08), rng.uniform(0.12, 0.2)
    closed_eyes, white = rng.random() < 0.08, rng.random() < 0.6
    iris = jitter((120, 150, 90) if rng.random() < 0.5 else (150, 100, 60), 40, rng)
    if "eyes on top" in extras:
        x, y, size = 0.58, -0.68, 0.24
        for side in (-1, 1):
            pen.oval(side * x, y, 0.38, 0.38, face.color, face.edge)
    for side in (-1, 1):
        if "discs" in extras:
            pen.oval(side * 0.42, y + 0.1, 0.5, 0.52, shade(face.light, 1.3))
        if closed_eyes:
            pen.line([(side * x - size, y), (side * x, y + size), (side * x + size, y)], 0.06, _DARK)
            continue
        if white:
            pen.oval(side * x, y, size * 1.15, size * 1.2, (245, 245, 240), face.edge)
            pen.oval(side * x + 0.03, y, size * 0.85, size * 0.95, iris)
        pen.oval(side * x + 0.03, y, size * 0.6, size * 0.75, _DARK)
        pen.oval(side * x + 0.07, y - size * 0.3, size * 0.2, size * 0.2, (255, 255, 255))


def draw_muzzle(pen: Pen, kind: str, face: Face, rng: np.random.Generator) -> None:
    """Draw muzzle, nose and mouth."""
    size = rng.uniform(0.82, 1.18)
    part = pen.within(0, 0.32, (size, size))
    nose = jitter(_DARK if rng.random() < 0.6 else (200, 125, 120), 15, rng)
    _MUZZLES[kind](part, face, nose, rng)


def _pads(pen: Pen, face: Face, nose: Color, rng: np.random.Generator, width: float = 1.0) -> None:
    for side in (-1, 1):
        pen.oval(side * 0.19 * width, 0.12, 0.25 * width, 0.2 * width, face.light)
    pen.shape([(-0.12 * width, -0.1), (0.12 * width, -0.1), (0, 0.04)], nose)
    _smile(pen, 0.05, 0.2 * width, face.edge)


def _dog(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    if rng.random() < 0.4:
        pen.limb([(0.05, 0.4), (0.08, 0.6), (0.08, 0.72)], 0.14, 0.15, (225, 110, 115), face.edge)
    pen.oval(0, 0.16, 0.44, 0.4, face.light, shade(face.light, 0.75))
    pen.oval(0, -0.06, 0.21, 0.15, nose)
    _smile(pen, 0.1, 0.26, face.edge)


def _bear(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    pen.oval(0, 0.12, 0.4, 0.3, face.light, face.edge)
    pen.oval(0, 0.0, 0.14, 0.1, nose)
    _smile(pen, 0.1, 0.16, face.edge)


def _fox(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    pen.shape(closed([(-0.85, -0.05), (-0.15, -0.1), (0.15, -0.1), (0.85, -0.05), (0, 0.8)]), shade(face.light, 1.4))
    pen.oval(0, 0.34, 0.13, 0.1, nose)


def _mouse(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    pen.oval(0, 0.18, 0.22, 0.2, face.light)
    pen.oval(0, 0.14, 0.11, 0.1, nose)
    _smile(pen, 0.24, 0.1, face.edge)


def _rabbit(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    _pads(pen, face, nose, rng, 0.8)
    pen.shape([(-0.1, 0.22), (0.1, 0.22), (0.1, 0.42), (-0.1, 0.42)], (250, 250, 245), face.edge)


def _snout(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    pen.oval(0, 0.1, 0.4, 0.29, shade(face.color, 0.88), face.edge)
    for side in (-1, 1):
        pen.oval(side * 0.14, 0.1, 0.06, 0.1, face.edge)


def _cow(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    pen.oval(0, 0.38, 0.68, 0.38, (235, 195, 185), face.edge)
    for side in (-1, 1):
        pen.oval(side * 0.28, 0.3, 0.09, 0.07, _DARK)
    pen.line([(-0.3, 0.52), (0, 0.58), (0.3, 0.52)], 0.05, _DARK)


def _koala(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    pen.oval(0, -0.02, 0.22, 0.34, _DARK)
    _smile(pen, 0.3, 0.16, face.edge)


def _frog(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    pen.line([(-0.8, -0.1), (-0.3, 0.25), (0.3, 0.25), (0.8, -0.1)], 0.06, _DARK)
    for side in (-1, 1):
        pen.oval(side * 0.1, -0.2, 0.03, 0.03, _DARK)


def _monkey(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    pen.oval(0, 0.12, 0.62, 0.42, shade((230, 190, 155), 1.0), face.edge)
    for side in (-1, 1):
        pen.oval(side * 0.08, -0.05, 0.04, 0.03, _DARK)
    pen.line([(-0.35, 0.2), (0, 0.35), (0.35, 0.2)], 0.05, _DARK)


def _sheep(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    pen.shape([(-0.16, 0.14), (0.16, 0.14), (0, 0.3)], nose)
    _smile(pen, 0.32, 0.14, face.edge)


def _beak(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    color = jitter((240, 165, 50), 20, rng)
    pen.shape([(-0.3, -0.1), (0, -0.25), (0.3, -0.1), (0, 0.3)], color, shade(color, 0.6))
    pen.line([(-0.28, -0.08), (0, 0), (0.28, -0.08)], 0.04, shade(color, 0.6))


def _owl(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    pen.shape([(-0.13, -0.3), (0.13, -0.3), (0, 0.12)], jitter((215, 160, 60), 20, rng), face.edge)


def _smile(pen: Pen, y: float, width: float, color: Color) -> None:
    pen.line([(0, y), (0, y + 0.12), (-width * 0.6, y + 0.22), (-width, y + 0.1)], 0.04, color)
    pen.line([(0, y), (0, y + 0.12), (width * 0.6, y + 0.22), (width, y + 0.1)], 0.04, color)


def _lion(pen: Pen, face: Face, nose: Color, rng: np.random.Generator) -> None:
    _pads(pen, face, nose, rng, 1.3)


_MUZZLES = {
    "beak": _beak, "bear": _bear, "cat": _pads, "cow": _cow, "dog": _dog, "fox": _fox, "frog": _frog, "koala": _koala,
    "lion": _lion, "monkey": _monkey, "mouse": _mouse, "owl": _owl, "rabbit": _rabbit, "sheep": _sheep, "snout": _snout,
}  # fmt: skip
