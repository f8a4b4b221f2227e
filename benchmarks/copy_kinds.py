"""Images that are no copies of one another, of kinds that look alike."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Photographs = Sequence[Image.Image]
Kind = Callable[[Photographs, int, np.random.Generator], list[Image.Image]]
_SIDE = 200  # pixels of a made image
_SCENES = 20
_FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "DejaVuSans-Bold", "DejaVuSerif-Italic")


def different_photographs(photographs: Photographs, count: int, rng: np.random.Generator) -> list[Image.Image]:
    """The photographs themselves."""
    return list(photographs[:count])


def cut_out_on_white(photographs: Photographs, count: int, rng: np.random.Generator) -> list[Image.Image]:
    """Products in a shop: something small from each photograph, on white."""
    return [_on_white(photograph, rng) for photograph in photographs[:count]]


def shapes_on_white(photographs: Photographs, count: int, rng: np.random.Generator) -> list[Image.Image]:
    """One flat polygon each, of another form and colour."""
    images = []
    for _ in range(count):
        image = Image.new("RGB", (_SIDE, _SIDE), "white")
        angles = np.sort(rng.uniform(0, 2 * math.pi, rng.integers(3, 9)))
        radii = rng.uniform(0.12, 0.36, len(angles)) * _SIDE
        points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, np.newaxis] + _SIDE / 2
        ImageDraw.Draw(image).polygon(list(map(tuple, points.tolist())), tuple(rng.integers(0, 200, 3).tolist()))
        images.append(image)
    return images


def fixed_scene(share: float, moved: bool) -> Kind:
    """A camera that does not move: before one of 20 photographs another object each time, in other light, with noise.

    Args:
        share: side of the object, of the image's. moved: at any place; otherwise always at the same.
    """

    def made(photographs: Photographs, count: int, rng: np.random.Generator) -> list[Image.Image]:
        scenes = [photograph.resize((_SIDE, _SIDE)) for photograph in photographs[:_SCENES]]
        return [
            _with_object(scenes[number % len(scenes)], photographs[-1 - number], share, moved, rng)
            for number in range(min(count, len(photographs)))
        ]

    return made


def other_colours(photographs: Photographs, count: int, rng: np.random.Generator) -> list[Image.Image]:
    """Ripe and unripe: pairs that differ in nothing but the hue, of the whole image or of the thing in its middle."""
    images = []
    for number, photograph in enumerate(photographs[: count // 2]):
        image = photograph.resize((_SIDE, _SIDE))
        shade = np.asarray(image.convert("L"), np.float64)[..., np.newaxis] / 255
        hue = float(rng.random())
        colours = [_colour(hue), _colour(hue + float(rng.uniform(0.15, 0.5)))]
        painted = [Image.fromarray((255 * shade * colour).astype(np.uint8)) for colour in colours]
        if number % 2:
            mask = _ellipse(_SIDE, 0.5)
            painted = [Image.composite(one, image, mask) for one in painted]
        images += painted
    return images


def handwritten_digits(photographs: Photographs, count: int, rng: np.random.Generator) -> list[Image.Image]:
    """Those of 8 x 8 pixels that scikit-learn has, enlarged."""
    from sklearn.datasets import load_digits

    digits = load_digits().images[:count]
    return [Image.fromarray((255 - digit * 15.9).astype(np.uint8)).resize((64, 64)).convert("RGB") for digit in digits]


def letters(photographs: Photographs, count: int, rng: np.random.Generator) -> list[Image.Image]:
    """Letters in several hands: another font, slant and size each."""
    images = []
    for number in range(count):
        image = Image.new("L", (64, 64), 255)
        letter = chr(ord("A") + number % 26)
        font = _font(_FONTS[number // 26 % len(_FONTS)], int(rng.integers(36, 50)))
        ImageDraw.Draw(image).text((32, 32), letter, 0, font, anchor="mm")
        images.append(_bent(image, rng).convert("RGB"))
    return images


def documents(photographs: Photographs, count: int, rng: np.random.Generator) -> list[Image.Image]:
    """Pages of one layout with other words."""
    font, images = _font(_FONTS[1], 10), []
    for _ in range(count):
        image = Image.new("RGB", (240, 320), "white")
        for line in range(24):
            words = ["".join(chr(97 + c) for c in rng.integers(0, 26, rng.integers(2, 9))) for _ in range(9)]
            ImageDraw.Draw(image).text((20, 16 + 12 * line), " ".join(words)[:38], "black", font)
        images.append(image)
    return images


def plain(photographs: Photographs, count: int, rng: np.random.Generator) -> list[Image.Image]:
    """Walls, skies and empty pages: one colour or a gradient, with noise."""
    images = []
    for number in range(count):
        ground = rng.uniform(100, 250, 3) if number % 2 else np.full(3, 245.0)
        slope = np.linspace(-1, 1, _SIDE)[:, np.newaxis, np.newaxis] * rng.uniform(-20, 20, 3) * (number % 4 > 1)
        values = ground + slope + rng.normal(0, 4, (_SIDE, _SIDE, 3))
        images.append(Image.fromarray(values.clip(0, 255).astype(np.uint8)))
    return images


def bursts(photographs: Photographs, count: int, rng: np.random.Generator) -> list[Image.Image]:
    """Something that moves: before a photograph the same object, a tenth of the side further each time."""
    images = []
    for number in range(min(count, 8 * len(photographs))):
        scene, thing = photographs[number // 8], photographs[-1 - number // 8]
        scene = scene.resize((_SIDE, _SIDE))
        step = round(_SIDE * 0.1)
        _paste(scene, thing, round(_SIDE * 0.2), (step * (number % 8), _SIDE // 3))
        images.append(scene)
    return images


DIFFERENT: dict[str, Kind] = {
    "photographs": different_photographs,
    "cut out, on white": cut_out_on_white,
    "shapes on white": shapes_on_white,
    "fixed scene, object of 5 % elsewhere": fixed_scene(0.05, moved=True),
    "fixed scene, object of 7 % elsewhere": fixed_scene(0.07, moved=True),
    "fixed scene, object of 10 % elsewhere": fixed_scene(0.1, moved=True),
    "fixed scene, object of 10 %, same place": fixed_scene(0.1, moved=False),
    "fixed scene, object of 20 % elsewhere": fixed_scene(0.2, moved=True),
    "fixed scene, object of 20 %, same place": fixed_scene(0.2, moved=False),
    "an object that moves by 10 %": bursts,
    "other colours": other_colours,
    "handwritten digits": handwritten_digits,
    "letters": letters,
    "documents": documents,
    "plain": plain,
}


def _on_white(photograph: Image.Image, rng: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", (_SIDE, _SIDE), "white")
    side = round(_SIDE * float(rng.uniform(0.3, 0.6)))
    _paste(image, photograph, side, ((_SIDE - side) // 2, (_SIDE - side) // 2))
    return image


def _with_object(
    scene: Image.Image, thing: Image.Image, share: float, moved: bool, rng: np.random.Generator
) -> Image.Image:
    image, side = scene.copy(), round(_SIDE * share)
    place = rng.integers(0, _SIDE - side, 2).tolist() if moved else [_SIDE // 3, _SIDE // 2]
    _paste(image, thing, side, (place[0], place[1]))
    values = np.asarray(image, np.float64) * rng.uniform(0.9, 1.1) + rng.normal(0, 2, (_SIDE, _SIDE, 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def _paste(image: Image.Image, thing: Image.Image, side: int, place: tuple[int, int]) -> None:
    image.paste(thing.resize((side, side), Image.Resampling.LANCZOS), place, _ellipse(side, 1.0))


def _ellipse(side: int, share: float) -> Image.Image:
    mask, margin = Image.new("L", (side, side)), side * (1 - share) / 2
    ImageDraw.Draw(mask).ellipse((margin, margin, side - 1 - margin, side - 1 - margin), fill=255)
    return mask


def _bent(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Every crossing of a grid of 4 x 4 meshes moved by a few pixels."""
    mesh = image.width // 4
    places = np.stack(np.meshgrid(np.arange(5), np.arange(5)), axis=2) * mesh + rng.normal(0, 2.5, (5, 5, 2))
    data = []
    for row in range(4):
        for column in range(4):
            corners = places[[row, row + 1, row + 1, row], [column, column, column + 1, column + 1]]
            target = (column * mesh, row * mesh, (column + 1) * mesh, (row + 1) * mesh)
            data.append((target, tuple(corners.ravel().tolist())))
    return image.transform(image.size, Image.Transform.MESH, data, Image.Resampling.BICUBIC, fillcolor=255)


def _colour(hue: float) -> np.ndarray:
    import colorsys

    return np.array(colorsys.hsv_to_rgb(hue % 1, 0.75, 1.0))


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")), size)
