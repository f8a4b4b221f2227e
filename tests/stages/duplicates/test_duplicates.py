"""Groups of copies: who belongs to whom, and that no set of images makes the search slow."""

import time

import numpy as np
import pytest

from stages.lib.decoding.thumbnails import SIDE
from stages.lib.duplicates.candidates import candidates
from stages.lib.duplicates.copies import in_two_subsets
from stages.lib.duplicates.groups import compared, near_groups, search
from stages.lib.duplicates.neighbours import nearest
from stages.lib.images.manifest import SUBSETS
from stages.lib.inventory.contents import ArchiveImage

LIMIT = 2.5


def thumbnail(seed: int) -> np.ndarray:
    """Coarse colour noise that no other seed resembles."""
    cells = np.random.default_rng(seed).integers(40, 215, (8, 8, 3), np.uint8)
    return cells.repeat(SIDE // 8, axis=0).repeat(SIDE // 8, axis=1)


def made(sha256: str, pixels: np.ndarray) -> ArchiveImage:
    return ArchiveImage(sha256, "a", 8, 8, 1, sha256, pixels, 0.5, 100.0)


def noisy(pixels: np.ndarray, seed: int, amount: int = 1) -> np.ndarray:
    return pixels + np.random.default_rng(seed).integers(0, amount + 1, pixels.shape, np.uint8)


def test_copies_share_the_place_of_one_of_them() -> None:
    one, other = thumbnail(1), thumbnail(2)
    images = [made("a", one), made("b", other), made("c", noisy(one, 0)), made("d", other[:, ::-1])]
    groups = near_groups(images, LIMIT)
    assert groups.tolist() == [0, 1, 0, 1]
    assert groups.dtype == np.int64
    apart, mirrored = compared(images, groups)
    assert mirrored.tolist() == [False, False, False, True]
    assert apart[[0, 1, 3]].tolist() == [0, 0, 0]
    assert 0 < apart[2] <= LIMIT


def test_without_a_limit_only_equal_files_are_copies() -> None:
    images = [made("a", thumbnail(1)), made("b", thumbnail(1)), made("a", thumbnail(1))]
    assert near_groups(images, None).tolist() == [0, 1, 0]
    assert near_groups(images, LIMIT).tolist() == [0, 0, 0]


@pytest.mark.parametrize("limit", [None, LIMIT])
def test_few_images(limit: float | None) -> None:
    assert near_groups([], limit).tolist() == []
    assert near_groups([made("a", thumbnail(1))], limit).tolist() == [0]
    assert near_groups([made("a", thumbnail(1)), made("b", thumbnail(2))], limit).tolist() == [0, 1]


def test_equal_files_carry_their_near_copies_along() -> None:
    one, near, other = thumbnail(1), noisy(thumbnail(1), 3), thumbnail(2)
    images = [made("a", one), made("b", near), made("a", one), made("z", other), made("b", near)]
    assert near_groups(images, LIMIT).tolist() == [0, 0, 0, 3, 0]


def test_what_is_plain_is_a_copy_of_equal_files_only() -> None:
    pages = [np.full((SIDE, SIDE, 3), shade, np.uint8) for shade in (255, 255, 254)]
    images = [made("a", pages[0]), made("b", pages[1]), made("c", pages[2]), made("a", pages[0])]
    assert near_groups(images, LIMIT).tolist() == [0, 1, 2, 0]


def series(count: int) -> list[ArchiveImage]:
    """A square that moves by a fifth of a pixel each time: neighbours are copies, the first and the last are not."""
    ground, images = thumbnail(1).astype(float), []
    for step in range(count):
        place, share = 10 + step // 5, step % 5 / 5
        image = ground.copy()
        image[20:26, place + 1 : place + 6] = 255
        image[20:26, place] = 255 * (1 - share) + image[20:26, place] * share
        image[20:26, place + 6] = 255 * share + image[20:26, place + 6] * (1 - share)
        images.append(made(str(step), image.astype(np.uint8)))
    return images


def test_a_series_that_changes_slowly_is_not_one_group() -> None:
    images = series(60)
    groups = near_groups(images, LIMIT)
    sizes = np.bincount(groups)
    assert groups[0] != groups[-1]
    assert 1 < sizes.max() < 20
    assert (compared(images, groups)[0] <= LIMIT).all()


def test_near_copies_of_a_series_that_lie_in_two_subsets_are_found() -> None:
    """Also where one of them is there as two files, of which the first is not kept."""
    images = series(60)
    images = [images[0], *images, *(made(f"other {n}", thumbnail(n)) for n in range(2, 40))]
    found = search(images, LIMIT)
    where = {group: SUBSETS[number % 3] for number, group in enumerate(sorted(set(found.groups.tolist())))}
    subsets = [None, *(where[group] for group in found.groups[1:].tolist())]
    apart = in_two_subsets(found, subsets)
    assert len(apart) >= len(set(found.groups[1:61].tolist())) - 1, "from each group of the series to the next"
    assert {index for pair in apart for index in pair} <= set(range(1, 61))
    assert all(subsets[one] != subsets[other] for one, other in apart)
    assert in_two_subsets(found, ["train"] * len(images)) == []
    assert in_two_subsets(found, [None] * len(images)) == []


@pytest.mark.parametrize("limit", [LIMIT, None])
def test_copies_of_one_image_are_in_one_group_and_no_pair_is_between(limit: float | None) -> None:
    images = [made(f"copy {n}", noisy(thumbnail(0), n, 3)) for n in range(20)]
    images += [made(f"other {n}", thumbnail(n)) for n in range(1, 40)]
    assert search(images, limit).between.tolist() == []


def test_a_large_group_of_copies_is_found_whole() -> None:
    """More copies than an image has neighbours in the search, among others."""
    images = [made(f"copy {n}", noisy(thumbnail(0), n, 3)) for n in range(100)]
    images += [made(f"other {n}", thumbnail(n)) for n in range(1, 200)]
    groups = near_groups(images, LIMIT)
    assert len(set(groups[:100].tolist())) == 1
    assert len(set(groups[100:].tolist())) == 199


def test_groups_are_the_same_each_time() -> None:
    images = [made(str(n), noisy(thumbnail(n % 40), n, 2)) for n in range(120)]
    assert near_groups(images, LIMIT).tolist() == near_groups(images, LIMIT).tolist()


@pytest.mark.parametrize("blank", [True, False])
def test_thousands_of_equal_thumbnails_take_no_time(blank: bool) -> None:
    """50,000 empty pages, or 50,000 times one placeholder in different files."""
    pixels = np.full((SIDE, SIDE, 3), 255, np.uint8) if blank else thumbnail(0)
    images = [made(str(n), pixels) for n in range(50_000)]
    started = time.process_time()
    groups = near_groups(images, LIMIT)
    assert time.process_time() - started < 20
    assert len(set(groups.tolist())) == (50_000 if blank else 1)


def test_nearly_equal_thumbnails_take_no_square_of_time() -> None:
    """Frames of a camera that does not move, in which nothing happens."""
    spent = []
    for count in (300, 1200):
        images = [made(str(n), noisy(thumbnail(0), n)) for n in range(count)]
        started = time.process_time()
        groups = near_groups(images, LIMIT)
        spent.append(time.process_time() - started)
        assert len(set(groups.tolist())) == 1
    # Four times as many: sixteen times the time, were each compared with each.
    assert spent[1] < 9 * spent[0] + 1


@pytest.mark.parametrize("kind", ["equal", "different", "on a line"])
def test_the_search_compares_few_of_many(kind: str) -> None:
    """Whatever they are, also where all are equal."""
    count, rng = 20_000, np.random.default_rng(0)
    vectors = {
        "equal": np.ones((count, 16)),
        "different": rng.normal(size=(count, 16)),
        "on a line": np.linspace(0, 1, count)[:, np.newaxis] * np.ones(16),
    }[kind].astype(np.float32)
    started = time.process_time()
    one, other = nearest(vectors, np.arange(count), 3, 1.0)
    assert time.process_time() - started < 20
    assert (one < other).all()
    # Ties apart, at most three of each vector are among the nearest of it.
    assert len(one) <= 3 * count


def test_the_search_finds_what_comparing_each_with_each_finds() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(3000, 16)).astype(np.float32)
    vectors[1500:] = vectors[:1500] + rng.normal(size=(1500, 16)) * 0.1
    one, other = nearest(vectors, np.arange(3000), 1, 2.0)
    found = set(zip(one.tolist(), other.tolist(), strict=True))
    assert sum((place, place + 1500) in found for place in range(1500)) >= 1490


def test_those_of_one_owner_are_no_pair() -> None:
    vectors = np.zeros((6, 4), np.float32)
    one, other = nearest(vectors, np.array([0, 1, 2, 0, 1, 2]), 5, 1.0)
    assert len(one)
    assert ((one % 3) != (other % 3)).all()


def test_candidates_are_pairs_in_order() -> None:
    thumbnails = [thumbnail(1), thumbnail(2), noisy(thumbnail(1), 1), thumbnail(2)[:, ::-1]]
    pairs = candidates(thumbnails, 1).tolist()
    assert [0, 2, 0] in pairs
    assert [1, 3, 1] in pairs
    assert all(one < other for one, other, _ in pairs)
    assert candidates([], 1).shape == (0, 3)
