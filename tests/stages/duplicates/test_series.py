"""Which images are a series that stays in one subset, and which are not."""

from dataclasses import replace

import numpy as np
import pytest

from stages.lib.decoding.thumbnails import SIDE
from stages.lib.duplicates.groups import Found
from stages.lib.duplicates.series import with_series
from stages.lib.images.manifest import SUBSETS
from stages.lib.inventory.contents import ArchiveImage
from stages.lib.splitting.assignment import assign
from stages.lib.splitting.wishes import Amounts

BLACK = np.zeros((SIDE, SIDE, 3), np.uint8)


def images(count: int, label: str = "a") -> list[ArchiveImage]:
    content = [f"{label}{n:03x}".ljust(64, "0") for n in range(count)]
    return [ArchiveImage(f"{label}/{n}.jpg", label, 8, 8, 1, one, BLACK, 0.5, 1.0) for n, one in enumerate(content)]


def found(count: int, groups: dict[int, int], *between: tuple[int, int]) -> Found:
    """Each image by itself, but those of `groups`, which stands for each; `between` groups there are near copies."""
    leaders = np.array([groups.get(index, index) for index in range(count)], np.int64)
    return Found(leaders, 0, np.arange(count), np.array(between, np.int64).reshape(-1, 2))


def names(result: list[ArchiveImage]) -> list[set[int]]:
    """The places of the images of each group."""
    groups = {image.group for image in result if image.group}
    return sorted(({n for n, image in enumerate(result) if image.group == name} for name in groups), key=min)


def test_a_chain_of_near_copies_is_one_series_with_all_of_its_groups() -> None:
    some = images(40)
    result = with_series(some, found(40, {1: 0, 3: 2, 11: 10}, (1, 3), (2, 5), (20, 21)))
    assert names(result) == [{0, 1, 2, 3, 5}, {20, 21}]
    assert [replace(image, group="", series="") for image in result] == some, "nothing else changes"
    assert [result[index].series for index in (5, 21, 30)] == [some[0].sha256, some[20].sha256, ""]


def test_copies_of_one_image_are_no_series() -> None:
    some = images(40)
    assert with_series(some, found(40, {1: 0, 2: 0})) == some
    assert with_series([], found(0, {})) == []


def test_it_keeps_its_name_as_it_grows_and_among_other_images() -> None:
    """The name decides on the subset."""
    chain = [(0, 1), (1, 2), (2, 3)]
    before = with_series(images(40), found(40, {}, *chain[:2]))
    after = with_series(images(50), found(50, {}, *chain))
    assert before[0].group == after[0].group == after[3].group
    elsewhere = [replace(image, name=f"new/{image.name}") for image in images(40)]
    assert with_series(elsewhere, found(40, {}, *chain))[0].group == before[0].group
    backwards = found(40, {}, (39, 38), (38, 37))
    assert with_series(images(40)[::-1], backwards)[39].group == before[0].group


def test_the_first_is_that_of_the_lowest_number() -> None:
    """10 is no earlier than 2."""
    some = images(40)
    assert with_series(some, found(40, {}, (10, 2)))[10].series == some[2].sha256


def test_two_series_have_two_names() -> None:
    assert len(names(with_series(images(40), found(40, {}, (0, 1), (2, 3))))) == 2


@pytest.mark.parametrize(("count", "kept"), [(20, True), (19, False)])
def test_what_is_most_of_a_class_is_left_as_it_is(count: int, kept: bool) -> None:
    """Four images: a fifth of twenty. With fewer there would be too few parts to divide the class."""
    result = with_series(images(count), found(count, {}, (0, 1), (1, 2), (2, 3)))
    assert bool(names(result)) == kept


def test_copies_count_as_images_too() -> None:
    """Ten of forty images, though they are copies of two."""
    copies = dict.fromkeys(range(1, 5), 0) | dict.fromkeys(range(6, 10), 5)
    assert names(with_series(images(40), found(40, copies, (0, 5)))) == []
    assert names(with_series(images(50), found(50, copies, (0, 5)))) == [set(range(10))]


@pytest.mark.parametrize("order", ["hash", "shuffle"])
def test_in_a_class_of_mostly_copies_it_leaves_something_to_divide(order: str) -> None:
    """With a copy of one image twenty times, a series of five images was the other of two parts: for three subsets."""
    some = images(25) + images(30, "b")
    searched = found(55, dict.fromkeys(range(1, 20), 0) | {21: 20, 23: 22, 24: 22}, (20, 22))
    amounts: Amounts = {"train": 0.4, "validation": 0.2, "test": 0.4}
    divided = assign(with_series(some, searched), searched.groups, order, amounts, 1)
    assert set(divided[:25]) >= set(SUBSETS)


def test_of_two_classes_it_must_be_small_in_both() -> None:
    chain = (0, 1), (1, 30)
    small = images(30) + images(4, "b")
    assert with_series(small, found(34, {}, *chain)) == small
    large = images(30) + images(5, "b")
    assert names(with_series(large, found(35, {}, *chain))) == [{0, 1, 30}]


def test_groups_that_are_named_are_left_as_they_are() -> None:
    some = images(40)
    some[2] = replace(some[2], group="patient 7")
    result = with_series(some, found(40, {}, (0, 1), (1, 2), (20, 21)))
    assert names(result) == [{2}, {20, 21}]
    assert result[2].group == "patient 7"
