"""Golden examples: small images of many kinds, and what becomes of them, by which any port proves itself."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from smallset.inference.bundle import EXAMPLES, Description
from smallset.inference.golden import said

_ORIENTATION = 0x0112  # of EXIF
_ON_ITS_SIDE = 6

Judge = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]


def write(directory: Path, about: Description, read: Callable[[Path], np.ndarray], judge: Judge) -> None:
    """Write the images, and `examples.json`: of each its file, its pixels, what the model gives and what is said of it.

    Args:
        directory: to write, or to write anew; its parent exists.
        about: what `classifier.json` says.
        read: an image as the model takes it, uint8 (height, width, channels).
        judge: probabilities float64 (images, classes) and distances float64 (images,), if the bundle gives them, of
            images uint8 (images, height, width, channels).
    """
    directory.mkdir(exist_ok=True)
    files = [_save(directory, *one) for one in _images()]
    pixels = np.stack([read(file) for file in files])
    probabilities, distances = judge(pixels)
    far = [None] * len(files) if distances is None else map(_short, distances)
    examples = [
        {
            "file": file.name,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "pixels_sha256": hashlib.sha256(image.tobytes()).hexdigest(),
            **_judged([_short(value) for value in row], distance, about),
        }
        for file, image, row, distance in zip(files, pixels, probabilities, far, strict=True)
    ]
    content = json.dumps({"shape": list(pixels.shape[1:]), "dtype": "uint8", "examples": examples}, indent=2) + "\n"
    (directory / EXAMPLES).write_text(content, encoding="utf-8")


def _short(value: float) -> float:
    return float(f"{value:.7g}")


def _judged(probabilities: list[float], distance: float | None, about: Description) -> dict[str, Any]:
    predicted, decision = said(probabilities, distance, about)
    found = {"probabilities": probabilities, "distance": distance, "predicted": predicted, "decision": decision}
    return {key: value for key, value in found.items() if value is not None}


def _save(directory: Path, name: str, image: Image.Image, options: dict[str, Any]) -> Path:
    file = directory / name
    image.save(file, **options)
    return file


def _images() -> list[tuple[str, Image.Image, dict[str, Any]]]:
    """Name, image and how it is saved: what a reader may do differently from another one."""
    turned = Image.Exif()
    turned[_ORIENTATION] = _ON_ITS_SIDE
    opacity = Image.fromarray(np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1)))
    see_through = _scene(3)
    see_through.putalpha(opacity)
    deep = np.asarray(_scene(7).convert("L"), np.uint16) * 257
    return [
        ("plain.jpg", _scene(0), {"quality": 90}),
        ("progressive.jpg", _scene(1), {"quality": 80, "progressive": True}),
        ("on_its_side.jpg", _scene(2), {"quality": 90, "exif": turned}),
        ("transparent.png", see_through, {}),
        ("grey.jpg", _scene(4).convert("L"), {"quality": 90}),
        ("four_inks.jpg", _scene(5).convert("CMYK"), {"quality": 90}),
        ("palette.png", _scene(6).quantize(32), {"transparency": 0}),
        ("sixteen_bits.png", Image.fromarray(deep), {}),
        ("large.jpg", _scene(8, 1536, 1024), {"quality": 40}),
        ("lossless.webp", _scene(9), {"lossless": True}),
        ("plain.tif", _scene(10), {}),
        ("plain.png", _scene(11, 40, 120), {}),
    ]


def _scene(seed: int, width: int = 96, height: int = 64) -> Image.Image:
    """A coloured slope with ellipses on it, which has edges and is small as a file."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    ends = rng.uniform(0, 255, (3, 3))
    pixels = ends[0] + x[..., None] * (ends[1] - ends[0]) + y[..., None] * (ends[2] - ends[0])
    for _ in range(4):
        center, radius = rng.uniform(0.1, 0.9, 2), rng.uniform(0.08, 0.3, 2)
        inside = ((y - center[0]) / radius[0]) ** 2 + ((x - center[1]) / radius[1]) ** 2 < 1
        pixels[inside] = rng.uniform(0, 255, 3)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
