"""Which images are taken for copies: every edit of one image, none of the kinds of different ones."""

import io
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from benchmarks.copy_edits import EDITS
from benchmarks.copy_kinds import DIFFERENT
from stages.lib.decoding.thumbnails import SIDE, thumbnail
from stages.lib.drawing.sample import draw
from stages.lib.duplicates.groups import near_groups
from stages.lib.duplicates.likeness import distances, has_detail
from stages.lib.inventory.contents import ArchiveImage, take_inventory

LIMIT = 2.5
SIZES = [(160, 160), (240, 140), (120, 200), (128, 96)]


@cache
def photograph(seed: int, size: tuple[int, int] = (200, 200)) -> Image.Image:
    """Colours that vary at every scale, the finer the less, as in a photograph; not to be written to."""
    rng = np.random.default_rng(seed)
    total = np.full((size[1], size[0], 3), 115.0)
    for cells in (3, 6, 12, 24):
        for channels, weight in ((1, 2.5), (3, 1.5)):
            noise = rng.integers(0, 256, (cells, cells, channels), np.uint8).repeat(3 // channels, axis=2)
            fine = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
            total += (np.asarray(fine, float) - 128) * weight / cells
    return Image.fromarray(total.clip(0, 255).astype(np.uint8))


def described(folder: Path, images: list[Image.Image]) -> list[ArchiveImage]:
    """Images as `split` sees them, in the order of the images."""
    with zipfile.ZipFile(folder / "raw.zip", "w") as archive:
        for place, image in enumerate(images):
            file = io.BytesIO()
            image.save(file, "PNG")
            archive.writestr(f"{place % 2}/{place:04}.png", file.getvalue())
    images, rejected = take_inventory(folder / "raw.zip")
    assert not rejected
    return sorted(images, key=lambda one: one.name.split("/")[1])


def apart(one: Image.Image, other: Image.Image) -> float:
    """Their distance, as they are or mirrored."""
    fixed, moving = thumbnail(one), thumbnail(other)
    found = distances(np.stack([fixed, fixed]), np.stack([moving, moving[:, ::-1]]))
    return float(found.min())


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_image_is_a_copy(edit: str, size: tuple[int, int]) -> None:
    original = photograph(1, size)
    assert apart(original, EDITS[edit](original, np.random.default_rng(1))) <= LIMIT


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_grey_image_is_a_copy(edit: str) -> None:
    original = photograph(2).convert("L").convert("RGB")
    assert apart(original, EDITS[edit](original, np.random.default_rng(1))) <= LIMIT


@pytest.mark.parametrize("edit", EDITS)
def test_the_search_finds_every_copy(edit: str, tmp_path: Path) -> None:
    originals = [photograph(seed, SIZES[seed % 3]) for seed in range(8)]
    rng = np.random.default_rng(3)
    groups = near_groups(described(tmp_path, originals + [EDITS[edit](image, rng) for image in originals]), LIMIT)
    assert groups[:8].tolist() == groups[8:].tolist()
    assert len(set(groups.tolist())) == 8


# An object of 5 % is smaller than what is promised.
@pytest.mark.parametrize("kind", [kind for kind in DIFFERENT if "5 %" not in kind])
def test_different_images_are_no_copies(kind: str, tmp_path: Path) -> None:
    images = DIFFERENT[kind]([photograph(seed) for seed in range(60)], 24, np.random.default_rng(1))
    groups = near_groups(described(tmp_path, images), LIMIT)
    assert len(set(groups.tolist())) == len(images) == 24


def test_drawings_of_one_class_are_no_copies(tmp_path: Path) -> None:
    images = [draw(label, seed, 3).resize((64, 64)) for label in ("cat", "dog") for seed in range(20)]
    assert len(set(near_groups(described(tmp_path, images), LIMIT).tolist())) == 40


@pytest.mark.parametrize("place", [(20, 20), (100, 100), (160, 90)], ids=str)
@pytest.mark.parametrize("colour", ["white", "black", "red", "blue"])
def test_one_small_object_makes_another_image(colour: str, place: tuple[int, int]) -> None:
    image = photograph(4)
    other = image.copy()
    other.paste(colour, (*place, place[0] + 16, place[1] + 16))
    assert apart(image, other) > LIMIT
    assert apart(image, ImageOps.mirror(other)) > LIMIT


@pytest.mark.parametrize("shift", [30, 60, 120])
def test_another_hue_makes_another_image(shift: int) -> None:
    hue, saturation, value = photograph(5).convert("HSV").split()
    turned = hue.point(lambda level: (level + shift) % 256)
    assert apart(photograph(5), Image.merge("HSV", (turned, saturation, value)).convert("RGB")) > LIMIT


def test_a_mirrored_image_is_no_copy_upside_down() -> None:
    assert apart(photograph(6), ImageOps.flip(photograph(6))) > LIMIT


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (7, 7), (8, 8), (31, 500), (1000, 3)], ids=str)
def test_every_size_has_a_thumbnail_and_a_distance(size: tuple[int, int]) -> None:
    image, other = photograph(7, size), photograph(8, size)
    assert thumbnail(image).shape == (SIDE, SIDE, 3)
    assert thumbnail(image).dtype == np.uint8
    assert apart(image, image) == 0
    assert apart(image, other) > LIMIT


def test_tiny_images_are_told_apart_and_found_again(tmp_path: Path) -> None:
    images = [Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)) for seed in range(30)]
    larger = [image.resize((64, 64), Image.Resampling.BICUBIC) for image in images]
    groups = near_groups(described(tmp_path, images + [ImageOps.mirror(image) for image in images]), LIMIT)
    assert groups[:30].tolist() == groups[30:].tolist() == list(range(30))
    groups = near_groups(described(tmp_path, larger), LIMIT)
    assert groups.tolist() == list(range(30))


@pytest.mark.parametrize("colour", ["white", "black", "#808080"])
@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_a_frame_is_left_out(colour: str, share: float) -> None:
    image = photograph(9, (300, 200))
    framed = ImageOps.expand(image, round(share * 200), colour)
    assert apart(image, framed) <= LIMIT
    difference = np.abs(thumbnail(framed).astype(int) - thumbnail(image))
    assert difference.mean() < 12


def test_what_is_plain_has_no_detail() -> None:
    plain = np.full((SIDE, SIDE, 3), 200, np.uint8)
    slope = np.broadcast_to(np.linspace(0, 255, SIDE, dtype=np.uint8)[:, np.newaxis, np.newaxis], plain.shape)
    noise = np.random.default_rng(0).normal(200, 1, plain.shape).astype(np.uint8)
    assert has_detail([plain, slope, noise, thumbnail(photograph(1))]).tolist() == [False, False, False, True]


def test_no_pairs_have_no_distances() -> None:
    assert distances(np.empty((0, SIDE, SIDE, 3), np.uint8), np.empty((0, SIDE, SIDE, 3), np.uint8)).shape == (0,)
    assert has_detail([]).shape == (0,)
