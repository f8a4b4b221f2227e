"""The animals: what parts each has, and how a whole one is put together in a pose and a coat."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from stages.lib.drawing.faces import EARS_IN_FRONT, Face, draw_ears, draw_eyes, draw_mane, draw_muzzle
from stages.lib.drawing.pen import CIRCLE, Color, Pen, closed, jitter, rotation, shade


@dataclass(frozen=True)
class Animal:
    """What tells an animal apart; of several ears or tails each image shows one.

    Attributes:
        head: width of the skull at the jaw and its height, in units of half its width at the eyes.
        color: seen on half of the images; the others have any coat.
        wings: instead of forelegs.
    """

    ears: tuple[str, ...]
    muzzle: str
    tails: tuple[str, ...]
    head: tuple[float, float]
    color: Color | None
    extras: tuple[str, ...] = ()
    wings: bool = False


# Cats and dogs have any coat: their colour must not tell them apart.
_ANY = None
ANIMALS = {
    "bear": Animal(("round",), "bear", ("stub",), (1.0, 0.9), (120, 80, 55)),
    "cat": Animal(
        ("pointed",) * 7 + ("folded",), "cat", ("long",) * 6 + ("bushy",), (0.98, 0.82), _ANY, ("whiskers",)
    ),
    "cow": Animal(("side",), "cow", ("tuft",), (0.8, 1.1), (235, 230, 225), ("horns",)),
    "dog": Animal(
        ("floppy",) * 5 + ("half",) * 2 + ("pointed",), "dog", ("short",) * 3 + ("bushy", "long"), (0.8, 0.95), _ANY
    ),
    "fox": Animal(("tall",), "fox", ("bushy",), (0.6, 0.85), (220, 120, 50), ("whiskers",)),
    "frog": Animal(("none",), "frog", ("none",), (1.15, 0.7), (110, 175, 70), ("eyes on top",)),
    "koala": Animal(("fluffy",), "koala", ("none",), (0.95, 0.9), (150, 150, 160)),
    "lion": Animal(("round",), "lion", ("tuft",), (0.9, 0.9), (215, 165, 90), ("mane", "whiskers")),
    "lynx": Animal(("tall", "pointed"), "cat", ("stub",), (0.98, 0.85), (200, 165, 120), ("whiskers",)),
    "monkey": Animal(("low",), "monkey", ("long",), (0.95, 0.9), (125, 90, 60)),
    "mouse": Animal(("large",), "mouse", ("thin",), (0.6, 0.85), (165, 160, 160), ("whiskers",)),
    "owl": Animal(("tufts",), "owl", ("stub",), (1.0, 0.9), (160, 125, 90), ("discs",), wings=True),
    "penguin": Animal(("none",), "beak", ("stub",), (1.0, 0.95), (45, 50, 65), ("discs",), wings=True),
    "pig": Animal(("flap",), "snout", ("curl",), (1.0, 0.85), (240, 175, 175)),
    "rabbit": Animal(("long", "lop"), "rabbit", ("puff",), (0.95, 0.9), (205, 190, 175), ("whiskers",)),
    "sheep": Animal(("side",), "sheep", ("puff",), (0.65, 1.05), (235, 230, 215), ("wool",)),
    "wolf": Animal(("pointed", "half"), "dog", ("bushy",), (0.75, 0.95), (130, 130, 140)),
}  # fmt: skip

_COATS: tuple[Color, ...] = (
    (60, 55, 55), (120, 120, 125), (235, 230, 222), (225, 145, 70), (140, 95, 60), (205, 170, 120), (90, 70, 60),
    (165, 170, 180), (215, 195, 165), (185, 110, 60),
)  # fmt: skip


def draw_animal(pen: Pen, animal: Animal, rng: np.random.Generator) -> None:
    """Draw one whole animal, or only its face; the pen's frame is its head: one unit is half the head's width."""
    own = animal.color if rng.random() < 0.5 else None
    color = jitter(own or _COATS[rng.integers(len(_COATS))], 22, rng)
    coat = _coat(pen.canvas.size, color, rng)
    edge = shade(color, 0.45)
    light = shade(color, rng.uniform(1.3, 1.75)) if rng.random() < 0.75 else color
    poses = [_sitting] if animal.wings else [_sitting, _standing]
    if pen.unit > 0.25 * min(pen.canvas.size):
        # Close enough for shoulders that reach the lower edge.
        poses.append(_face)
    poses[rng.integers(len(poses))](pen, animal, coat, light, edge, rng)
    _head(pen, animal, coat, Face(color, light, edge, rng.uniform(0, 0.5)), rng)


def _head(pen: Pen, animal: Animal, coat: Image.Image, face: Face, rng: np.random.Generator) -> None:
    turned = pen.within(0, 0, turn=rotation(rng.normal(0, 0.12)))
    ears = str(rng.choice(animal.ears))
    size, turn = rng.uniform(0.8, 1.2), rng.normal(0, 0.14)
    if "mane" in animal.extras or "wool" in animal.extras:
        draw_mane(turned, "wool" in animal.extras, face, rng)
    if ears not in EARS_IN_FRONT:
        draw_ears(turned, ears, coat, face, size, turn)
    turned.shape(_skull(*animal.head), coat, face.edge)
    if rng.random() < 0.2:
        turned.oval(rng.choice([-0.4, 0.4]) + face.yaw * 0.4, -0.15, 0.32, 0.36, face.light)
    if ears in EARS_IN_FRONT:
        draw_ears(turned, ears, coat, face, size, turn)
    features = turned.within(face.yaw * 0.55, 0, (1 - face.yaw * 0.25, 1))
    draw_eyes(features, animal.extras, face, rng)
    draw_muzzle(features, animal.muzzle, face, rng)
    if "whiskers" in animal.extras:
        color = (235, 235, 235) if sum(face.color) < 330 else shade(face.color, 0.35)
        for side in (-1, 1):
            for place in range(3):
                y = 0.3 + place * 0.09
                features.line([(side * 0.32, y), (side * 1.0, y - 0.14 + place * 0.15)], 0.025, color)


def _skull(jaw: float, height: float) -> np.ndarray:
    low = np.clip(CIRCLE[:, 1:], 0, 1)
    return CIRCLE * np.hstack([1 - (1 - jaw) * low, np.full_like(low, height)])


def _face(pen: Pen, animal: Animal, coat: Image.Image, light: Color, edge: Color, rng: np.random.Generator) -> None:
    # As long as the image is high: it sits behind the lower edge.
    half = rng.uniform(0.85, 1.25)
    outline = [(-0.5, 0.5), (-half, 1.5), (-half * 1.1, 8), (half * 1.1, 8), (half, 1.5), (0.5, 0.5)]
    pen.shape(closed(outline), coat, edge)
    if rng.random() < 0.4:
        pen.oval(0, 1.7, half * 0.5, 0.8, light)


def _sitting(pen: Pen, animal: Animal, coat: Image.Image, light: Color, edge: Color, rng: np.random.Generator) -> None:
    girth = rng.uniform(0.75, 1.05)
    _tail(pen.within(-girth * 0.8, 2.3), str(rng.choice(animal.tails)), coat, light, edge, rng)
    for side in (-1.0, 1.0):
        pen.oval(side * girth * 0.75, 2.25, 0.5, 0.48, coat, edge)
    pen.oval(0, 1.6, girth, 1.15, coat, edge)
    if rng.random() < 0.5 or animal.wings:
        pen.oval(0.05, 1.55, girth * 0.6, 0.9, light)
    if animal.wings:
        for side in (-girth, girth):
            pen.limb([(side * 0.8, 0.9), (side * 1.15, 1.5), (side, 2.4)], 0.22, 0.12, coat, edge)
            pen.oval(side * 0.4, 2.7, 0.3, 0.14, (235, 165, 60), edge)
        return
    for side in (-0.36, 0.36):
        pen.limb([(side, 1.5), (side * 1.1, 2.0), (side * 1.1, 2.6)], 0.2, 0.22, coat, edge)


def _standing(pen: Pen, animal: Animal, coat: Image.Image, light: Color, edge: Color, rng: np.random.Generator) -> None:
    length, girth = rng.uniform(1.3, 1.8), rng.uniform(0.6, 0.8)
    _tail(pen.within(-length * 1.55, 0.75), str(rng.choice(animal.tails)), coat, light, edge, rng)
    foot = 0.9 + girth + rng.uniform(0.5, 0.9)
    for share in (-1.45, -0.95, -0.05, 0.3):
        x = length * share
        pen.limb([(x, 0.9), (x + rng.normal(0, 0.08), 1.6), (x + rng.normal(0, 0.2), foot)], 0.26, 0.2, coat, edge)
    pen.oval(-length * 0.6, 0.9, length * 1.05, girth, coat, edge)
    pen.oval(0, 0.6, 0.65, 0.7, coat)


def _tail(pen: Pen, kind: str, coat: Image.Image, light: Color, edge: Color, rng: np.random.Generator) -> None:
    """Draw a tail from the frame's origin to the left, lifted or hanging."""
    lift = rng.uniform(-1.3, 0.3)
    if kind == "long":
        pen.limb([(0.2, 0), (-0.8, 0.3), (-1.1, lift), (-0.8, lift - 0.8)], 0.15, 0.1, coat, edge)
    elif kind == "thin":
        pen.limb([(0.2, 0), (-0.7, 0.4), (-1.2, lift), (-1.8, lift + 0.2)], 0.07, 0.03, light, edge)
    elif kind == "short":
        pen.limb([(0.2, 0), (-0.4, -0.1), (-0.65, lift * 0.8 - 0.2)], 0.2, 0.06, coat, edge)
    elif kind == "bushy":
        pen.limb([(0.2, 0), (-0.6, 0.2), (-1.0, lift), (-0.8, lift - 0.5)], 0.14, 0.36, coat, edge)
    elif kind == "tuft":
        pen.limb([(0.2, 0), (-0.7, 0), (-0.8, 0.9)], 0.07, 0.06, coat, edge)
        pen.oval(-0.8, 1.0, 0.16, 0.26, edge)
    elif kind == "curl":
        pen.line([(0.2, 0), (-0.4, -0.3), (-0.1, -0.6), (0, -0.1), (-0.6, -0.2)], 0.1, edge)
    elif kind in ("puff", "stub"):
        pen.oval(-0.15, 0, 0.3, 0.28, light if kind == "puff" else coat, edge)


def _coat(size: tuple[int, int], color: Color, rng: np.random.Generator) -> Image.Image:
    """A texture of fur: plain, striped, spotted or in patches, with a few darker and lighter hairs."""
    coat = Image.new("RGB", size, color)
    brush = ImageDraw.Draw(coat)
    unit = float(min(size))
    other = shade(color, rng.choice([0.5, 0.65, 1.4, 1.6]))
    kind = rng.integers(0, 5)
    if kind == 1:
        width, slope = unit * rng.uniform(0.015, 0.03), rng.uniform(-0.25, 0.25) * unit
        for y in np.arange(-unit * 0.2, size[1] * 1.2, width * 3.2):
            brush.line([(0, y), (size[0] / 2, y + slope), (size[0], y)], fill=other, width=int(width) + 1)
    elif kind in (2, 3):
        count, large = (90, 0.02) if kind == 2 else (12, 0.11)
        for x, y, share in rng.uniform((0, 0, 0.5), (size[0], size[1], 1.4), (count, 3)):
            radius = share * large * unit
            brush.ellipse([x - radius, y - radius * 0.8, x + radius, y + radius * 0.8], fill=other)
    shades = (shade(color, 0.86), shade(color, 1.15))
    for place, (x, y) in enumerate(rng.uniform((0, 0), size, (130, 2))):
        brush.line([(x, y), (x + 2, y + unit * 0.03)], fill=shades[place % 2])
    return coat
