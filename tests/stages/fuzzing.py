"""Hostile files made of good ones: seeded, so that each can be made again."""

import io
import random
import tarfile
import zipfile
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.stages.image_inputs import FORMATS, ORIENTED, colors_of_16_bits, encoded, grey_tiff, in_mode

_LENGTHS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x3FFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000)


def images() -> dict[str, bytes]:
    """Good files of every format that is read, and of several of its kinds."""
    found: dict[str, bytes] = {}
    for form in FORMATS:
        for mode in ("RGB", "L", "RGBA", "P", "1", "CMYK", "I;16", "F"):
            try:
                found[f"{form} {mode}"] = encoded(in_mode(mode), form, 6 if form in ORIENTED else 1)
            except (OSError, ValueError, KeyError):
                continue
    noise = Image.effect_noise((96, 64), 60).convert("RGB")
    found["JPEG progressive"] = encoded(noise, "JPEG", progressive=True)
    found["WEBP lossy"] = encoded(noise, "WEBP", lossless=False)
    found["WEBP animated"] = encoded(noise, "WEBP", save_all=True, append_images=[noise.rotate(90)] * 2)
    found["PNG animated"] = encoded(noise, "PNG", save_all=True, append_images=[noise.rotate(90)] * 2)
    found["GIF animated"] = encoded(noise.convert("P"), "GIF", save_all=True, append_images=[noise.rotate(9)] * 2)
    for packing in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits", "group4"):
        one = noise.convert("1") if packing == "group4" else noise
        found[f"TIFF {packing}"] = encoded(one, "TIFF", compression=packing)
    for form in ("PNG", "TIFF", "PPM"):
        found[f"{form} 16 bits"] = colors_of_16_bits(form, np.full((20, 30), 60_000))
    found["TIFF grey"] = grey_tiff(np.arange(600, dtype="<u2").reshape(20, 30))
    return found


def archives() -> dict[str, bytes]:
    """Good zips and tars of a few images, in every packing that is read."""
    content = {f"{label}/{number}.png": encoded(in_mode("RGB")) for label in ("a", "b") for number in range(3)}
    found: dict[str, bytes] = {}
    for name, packing in (
        ("stored", zipfile.ZIP_STORED),
        ("deflated", zipfile.ZIP_DEFLATED),
        ("lzma", zipfile.ZIP_LZMA),
    ):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", packing) as archive:
            for member, data in content.items():
                archive.writestr(member, data)
        found[f"zip {name}"] = file.getvalue()
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode=mode) as tar:  # type: ignore[call-overload]
            for member, data in content.items():
                info = tarfile.TarInfo(member)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        found[f"tar {mode}"] = file.getvalue()
    return found


def mutations(files: dict[str, bytes], seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Damage good files: flipped bits, other bytes, lengths, cuts, repetitions, parts of other files.

    Yields:
        What it was made of and how, and the file.
    """
    names = sorted(files)
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        name = names[number % len(names)]
        content, done = bytearray(files[name]), []
        for _ in range(rng.choice((1, 1, 2, 4, 16))):
            how = rng.choice((_flip, _replace, _length, _length, _cut, _repeat, _splice))
            content = how(content, rng, files[rng.choice(names)])
            done.append(how.__name__.strip("_"))
        yield f"{name}, {seed} {number}: {' '.join(done)}", bytes(content)


def _place(content: bytearray, rng: random.Random) -> int:
    """Somewhere in it; half of the time near the start, where headers are."""
    return rng.randrange(max(1, min(len(content), 200) if rng.random() < 0.5 else len(content)))


def _flip(content: bytearray, rng: random.Random, other: bytes) -> bytearray:
    if content:
        content[_place(content, rng)] ^= 1 << rng.randrange(8)
    return content


def _replace(content: bytearray, rng: random.Random, other: bytes) -> bytearray:
    place = _place(content, rng)
    content[place : place + 4] = rng.randbytes(len(content[place : place + 4]))
    return content


def _length(content: bytearray, rng: random.Random, other: bytes) -> bytearray:
    """A number as formats write lengths and sizes."""
    place, size = _place(content, rng), rng.choice((2, 4))
    value = rng.choice(_LENGTHS) & ((1 << 8 * size) - 1)
    content[place : place + size] = value.to_bytes(size, rng.choice(("big", "little")))
    return content


def _cut(content: bytearray, rng: random.Random, other: bytes) -> bytearray:
    return content[: _place(content, rng)]


def _repeat(content: bytearray, rng: random.Random, other: bytes) -> bytearray:
    start = _place(content, rng)
    part = content[start : start + rng.randrange(1, 400)]
    return content[:start] + part * rng.choice((2, 3, 50)) + content[start:]


def _splice(content: bytearray, rng: random.Random, other: bytes) -> bytearray:
    start = rng.randrange(max(1, len(other)))
    part = other[start : start + rng.randrange(1, 400)]
    place = _place(content, rng)
    return content[:place] + bytearray(part) + content[place + rng.choice((0, len(part))) :]
