"""Any number of distinct images out of a few thousand real ones: other crops, brightness and compression of each."""

import io
import random
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from PIL import Image, ImageEnhance

from stages.lib.core.outputs import atomic_file
from stages.lib.core.progress import tracked
from stages.lib.images.decode import DECODING_THREADS

SIDE = 200  # pixels, at most
_CHUNK = 2048  # images in memory at once


def many_images(source: Path, archive: Path, count: int) -> None:
    """Write a zip of `count` images, entries stored, as <class>/<number>.jpg, as many of each class.

    Args:
        source: a zip of real images, as <class>/<file> or <class>.<number>.jpg.
    """
    with zipfile.ZipFile(source) as real, atomic_file(archive) as partial, zipfile.ZipFile(partial, "w") as made:
        for name, content in tracked(_variants(real, count), f"making {archive.name}", count):
            made.writestr(name, content)


def _variants(real: zipfile.ZipFile, count: int) -> Iterator[tuple[str, bytes]]:
    classes: dict[str, list[str]] = {}
    for name in sorted(name for name in real.namelist() if not name.endswith("/")):
        file = PurePosixPath(name)
        classes.setdefault(file.stem.rpartition(".")[0] or file.parent.name, []).append(name)
    with ThreadPoolExecutor(DECODING_THREADS) as pool:
        for start in range(0, count, _CHUNK):
            names, numbers = [], range(start, min(start + _CHUNK, count))
            for number in numbers:
                label, place = sorted(classes)[number % len(classes)], number // len(classes)
                names.append((f"{label}/{place:07}.jpg", classes[label][place % len(classes[label])]))
            contents = [real.read(original) for _, original in names]
            yield from zip((name for name, _ in names), pool.map(_variant, contents, numbers), strict=True)


def _variant(content: bytes, number: int) -> bytes:
    """The image of this number: a crop so small that it is no copy of the next."""
    drawn = random.Random(number)
    with Image.open(io.BytesIO(content)) as image:
        image.draft("RGB", (SIDE, SIDE))
        varied = image.convert("RGB")
    varied.thumbnail((2 * SIDE, 2 * SIDE))
    width, height = (max(8, round(side * drawn.uniform(0.4, 0.8))) for side in varied.size)
    left, top = drawn.randint(0, varied.width - width), drawn.randint(0, varied.height - height)
    cut = varied.crop((left, top, left + width, top + height))
    cut.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    ImageEnhance.Brightness(cut).enhance(drawn.uniform(0.6, 1.4)).save(file, "JPEG", quality=drawn.randint(60, 92))
    return file.getvalue()
