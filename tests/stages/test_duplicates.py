"""What counts as a copy of a picture: the same file, or one that was resized, recompressed or retouched."""

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from stages.lib.drawing import draw
from stages.lib.duplicates import distance, near_groups
from stages.lib.inventory import Picture, take_inventory


def described(tmp_path: Path, *images: Image.Image | bytes) -> list[Picture]:
    """Pictures as `split` sees them."""
    with zipfile.ZipFile(tmp_path / "raw.zip", "w") as archive:
        for place, image in enumerate(images):
            content = image if isinstance(image, bytes) else encoded(image)
            archive.writestr(f"{place % 2}/{place:03}.jpg", content)
    pictures, rejected = take_inventory(tmp_path / "raw.zip")
    assert not rejected
    return sorted(pictures, key=lambda picture: picture.name.split("/")[1])


def encoded(image: Image.Image, quality: int = 90) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


CAT = draw("cat", 1, 1)


@pytest.mark.parametrize(
    "copy",
    [
        lambda image: image.resize((image.width * 2, image.height * 2)),
        lambda image: image.resize((90, 90)),
        lambda image: encoded(image, 30),
        lambda image: ImageEnhance.Brightness(image).enhance(1.02),
        lambda image: ImageEnhance.Sharpness(image).enhance(2.0),
    ],
    ids=["larger", "smaller", "recompressed", "brighter", "sharper"],
)
def test_a_copy_is_found(copy: Callable[[Image.Image], Image.Image | bytes], tmp_path: Path) -> None:
    pictures = described(tmp_path, CAT, draw("dog", 1, 1), copy(CAT), draw("cat", 2, 1))
    groups = near_groups(pictures, 4)
    assert groups[0] == groups[2]
    assert len(set(groups.tolist())) == 3
    assert distance(pictures[0], pictures[2]) <= 4
    assert distance(pictures[0], pictures[1]) > 4


def test_without_near_ones_only_equal_files_are_copies(tmp_path: Path) -> None:
    pictures = described(tmp_path, CAT, encoded(CAT, 30), CAT)
    groups = near_groups(pictures, None)
    assert groups[0] == groups[2] != groups[1]


def test_a_hash_that_agrees_by_chance_is_no_copy(tmp_path: Path) -> None:
    """Two plain areas of different brightness have the same perceptual hash."""
    dark, bright, again = (Image.new("RGB", (64, 64), (shade,) * 3) for shade in (40, 200, 42))
    pictures = described(tmp_path, dark, bright, again)
    assert distance(pictures[0], pictures[1]) == 0
    groups = near_groups(pictures, 4)
    assert groups[0] == groups[2] != groups[1]


def made(sha256: str, phash: int, shade: int = 0) -> Picture:
    return Picture(sha256, "a", 8, 8, 1, sha256, phash, np.full((16, 16), shade, np.uint8), 0.5, 100.0)


def test_copies_of_copies_are_copies() -> None:
    pictures = [made("a", 0b0), made("b", 0b111), made("c", 0b111111), made("d", 1 << 63 | 0xFFFF)]
    assert near_groups(pictures, 3).tolist() == [0, 0, 0, 1]
    assert near_groups(pictures, 2).tolist() == [0, 1, 2, 3]


def test_equal_files_carry_their_near_copies_along() -> None:
    pictures = [made("a", 0b0), made("b", 0b1), made("a", 0b0), made("z", 1 << 63 | 0xFFFF), made("b", 0b1)]
    assert near_groups(pictures, 1).tolist() == [0, 0, 0, 1, 0]


def test_thousands_are_compared_within_little_memory() -> None:
    """Every second picture blank: the worst case, for all their hashes agree."""
    import tracemalloc

    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, 3000).tolist()
    pictures = [made(f"{n}", 0 if n % 2 else hashes[n], n % 2) for n in range(3000)]
    tracemalloc.start()
    started = time.perf_counter()
    groups = near_groups(pictures, 4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(set(groups[1::2].tolist())) == 1
    assert len(set(groups[::2].tolist())) == 1500
    assert peak < 300e6
    assert time.perf_counter() - started < 20


def brute_force(pictures: list[Picture], bits: int) -> set[frozenset[int]]:
    """Groups by comparing each with each."""
    groups = {place: {place} for place in range(len(pictures))}
    for one in range(len(pictures)):
        for other in range(one):
            agree = np.abs(pictures[one].thumbnail.astype(int) - pictures[other].thumbnail).mean() < 6
            if agree and distance(pictures[one], pictures[other]) <= bits and other not in groups[one]:
                groups[one] |= groups[other]
                groups |= dict.fromkeys(groups[one], groups[one])
    return {frozenset(group) for group in groups.values()}


@pytest.mark.parametrize("bits", [0, 1, 4, 8, 20])
def test_none_is_missed_that_comparing_each_with_each_finds(bits: int) -> None:
    rng = np.random.default_rng(bits)
    pictures: list[Picture] = []
    for number in range(300):
        like = pictures[rng.integers(len(pictures))] if pictures and number % 2 else None
        phash = like.phash if like else int(rng.integers(2**63))
        for bit in rng.choice(64, rng.integers(0, bits + 2), replace=False).tolist():
            phash ^= 1 << bit
        pictures.append(made(str(number), phash, int(rng.integers(0, 12))))
    groups = near_groups(pictures, bits)
    found = {frozenset(np.flatnonzero(groups == group).tolist()) for group in set(groups.tolist())}
    assert found == brute_force(pictures, bits)


def test_time_does_not_grow_with_the_square_of_the_pictures() -> None:
    """So many that comparing each with each would take half a minute; half of them nearly blank."""
    count = 100_000
    hashes = np.random.default_rng(0).integers(0, 2**63, count).tolist()
    blank, grey = np.zeros((16, 16), np.uint8), np.full((16, 16), 99, np.uint8)
    pictures = [
        Picture(f"{n}", "a", 8, 8, 1, f"{n}", n % 3 if n % 2 else hashes[n], blank if n % 2 else grey, 0.5, 100.0)
        for n in range(count)
    ]
    started = time.perf_counter()
    groups = near_groups(pictures, 4)
    assert time.perf_counter() - started < 10
    assert len(set(groups[1::2].tolist())) == 1
