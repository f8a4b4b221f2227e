"""Which image goes where: by index, at random, by content or by folder; copies never into two subsets."""

from collections import Counter
from pathlib import PurePosixPath

import numpy as np
import pytest

from stages.lib.core.errors import UserError
from stages.lib.images.manifest import SUBSETS, SubsetName
from stages.lib.inventory.contents import ArchiveImage
from stages.lib.labelling.layout import read_layout
from stages.lib.splitting.assignment import CONTRADICTION, SAME_FILE, STRADDLES, UNUSED, assign

ORDERS = ["index", "shuffle", "hash"]
THIRDS = (0.5, 0.2, 0.3)


def image(
    name: str, label: str, content: str | None = None, subset: SubsetName | None = None, group: str = ""
) -> ArchiveImage:
    thumbnail = np.zeros((48, 48, 3), np.uint8)
    return ArchiveImage(name, label, 8, 8, 100, content or name, thumbnail, 0.5, 100.0, subset, group)


def placed(names: list[str]) -> list[ArchiveImage]:
    """Images of the classes and subsets that their layout gives."""
    layout = read_layout(names)
    places = [(name, layout.place(name)) for name in names]
    return [image(name, place.label, subset=place.subset) for name, place in places if place]


def numbered(**counts: int) -> list[ArchiveImage]:
    return [image(f"{label}.{n}.jpg", label) for label, count in counts.items() for n in range(count)]


def assignments(
    images: list[ArchiveImage],
    order: str,
    amounts: tuple[int | float, int | float, int | float],
    groups: list[int] | None = None,
    seed: int = 1,
) -> dict[str, str]:
    apart = np.array(groups) if groups else np.arange(len(images))
    found = assign(images, apart, order, dict(zip(SUBSETS, amounts, strict=True)), seed)
    return {image.name: assignment for image, assignment in zip(images, found, strict=True)}


def per_class(found: dict[str, str], label: str) -> list[int]:
    counts = Counter(assignment for name, assignment in found.items() if label in name)
    return [counts[subset] for subset in SUBSETS]


def test_by_index_the_number_decides_and_not_the_spelling() -> None:
    found = assignments(numbered(cat=12, dog=12), "index", (5, 2, 3))
    for label in ("cat", "dog"):
        order = [found[f"{label}.{n}.jpg"] for n in range(12)]
        assert order == ["train"] * 5 + ["validation"] * 2 + ["test"] * 3 + [UNUSED] * 2


def test_by_index_names_without_numbers_are_sorted() -> None:
    found = assignments([image(f"a/{name}.jpg", "a") for name in "dacb"], "index", (2, 1, 1))
    assert [found[f"a/{name}.jpg"] for name in "abcd"] == ["train", "train", "validation", "test"]


@pytest.mark.parametrize("order", ORDERS)
def test_the_same_seed_gives_the_same_subsets(order: str) -> None:
    images = numbered(cat=60, dog=60)
    assert assignments(images, order, THIRDS) == assignments(images, order, THIRDS)
    backwards = assignments(images[::-1], order, THIRDS)
    assert backwards == assignments(images, order, THIRDS)


@pytest.mark.parametrize("order", ["shuffle", "hash"])
def test_another_seed_gives_others(order: str) -> None:
    images = numbered(cat=60)
    assert assignments(images, order, THIRDS) != assignments(images, order, THIRDS, seed=2)


def test_shuffled_images_are_not_in_the_order_of_their_numbers() -> None:
    found = assignments(numbered(cat=100), "shuffle", (50, 25, 25))
    assert per_class(found, "cat") == [50, 25, 25]
    assert 15 < sum(found[f"cat.{n}.jpg"] == "train" for n in range(50)) < 35


def test_two_classes_are_not_shuffled_alike() -> None:
    found = assignments(numbered(cat=40, dog=40), "shuffle", (20, 10, 10))
    assert [found[f"cat.{n}.jpg"] for n in range(40)] != [found[f"dog.{n}.jpg"] for n in range(40)]


@pytest.mark.parametrize("order", ["index", "shuffle"])
@pytest.mark.parametrize(
    ("count", "expected"), [(700, [280, 140, 280]), (10, [4, 2, 4]), (7, [3, 1, 3]), (3, [1, 1, 1])]
)
def test_shares_lose_nothing_to_rounding(order: str, count: int, expected: list[int]) -> None:
    assert per_class(assignments(numbered(cat=count), order, (0.4, 0.2, 0.4)), "cat") == expected


def test_each_class_is_shared_out_by_itself() -> None:
    found = assignments(numbered(cat=100, dog=20, emu=10), "shuffle", (0.4, 0.2, 0.4))
    assert [per_class(found, label) for label in ("cat", "dog", "emu")] == [[40, 20, 40], [8, 4, 8], [4, 2, 4]]


def test_counts_and_shares_may_be_mixed() -> None:
    assert per_class(assignments(numbered(cat=20), "index", (0.5, 2, 0.25)), "cat") == [10, 2, 5]


def test_by_hash_an_image_keeps_its_subset_when_others_are_added() -> None:
    before, after = (assignments(numbered(cat=count), "hash", THIRDS) for count in (200, 300))
    assert before.items() < after.items()
    assert per_class(after, "cat") == pytest.approx([150, 60, 90], abs=25)


@pytest.mark.parametrize("order", ["index", "shuffle"])
def test_too_few_images_name_the_class(order: str) -> None:
    with pytest.raises(UserError, match=r"class 'dog': expected at least 5 \+ 2 \+ 3 images .* Received: 9"):
        assignments(numbered(cat=10, dog=9), order, (5, 2, 3))


@pytest.mark.parametrize("order", [*ORDERS, "folders"])
def test_a_class_without_an_image_in_a_subset_is_named(order: str) -> None:
    cats = [f"{subset}/cat/{n}.jpg" for subset in SUBSETS for n in range(9)]
    images = placed([*cats, "train/dog/1.jpg", "train/dog/2.jpg"])
    with pytest.raises(UserError, match=r"class 'dog': expected at least one image in \w+, found none among its 2"):
        assignments(images, order, (0.4, 0.2, 0.4))


def test_a_class_that_is_a_copy_of_another_is_told_as_one() -> None:
    copies = [image(f"{label}/{n}.jpg", label, f"{n}") for label in ("dog", "dog - Copy") for n in range(6)]
    with pytest.raises(UserError) as caught:
        assignments([*numbered(cat=6), *copies], "hash", (0.4, 0.2, 0.4))
    assert "among its 6; 6 set aside: its copies have different classes; the same files are in dog" in str(caught.value)


def test_a_class_of_one_group_is_told_as_one() -> None:
    dogs = [image(f"dog/{n}.jpg", "dog", group="one") for n in range(6)]
    with pytest.raises(UserError, match=r"among its 6; they are of 1 group, and a group stays in one subset"):
        assignments([*numbered(cat=6), *dogs], "hash", (0.4, 0.2, 0.4))


def test_shares_of_more_than_everything_are_refused() -> None:
    with pytest.raises(UserError, match=r"shares of at most 1 together. Received: 1\.1"):
        assignments(numbered(cat=10), "shuffle", (0.5, 0.2, 0.4))


def in_folders(**counts: int) -> list[ArchiveImage]:
    names = [
        f"birds/{folder}/{label}/{n}.jpg" for folder, count in counts.items() for label in "ab" for n in range(count)
    ]
    return placed(names)


@pytest.mark.parametrize("name", ["validation", "val", "valid", "Val"])
def test_folders_are_kept_as_they_are(name: str) -> None:
    found = assignments(in_folders(train=10, test=6, **{name: 4}), "folders", (0.4, 0.2, 0.4))
    for path, assignment in found.items():
        assert assignment == ("validation" if f"/{name}/" in path else PurePosixPath(path).parts[1])


def test_counts_limit_what_folders_hold() -> None:
    assert per_class(assignments(in_folders(train=10, val=5, test=6), "folders", (7, 9, 2)), "/a/") == [7, 5, 2]


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [((0.4, 0.2, 0.4), [20, 10, 6]), ((0.9, 0.1, 1.0), [27, 3, 6]), ((9, 4, 5), [9, 4, 5]), ((5, 0.2, 5), [5, 6, 5])],
)
def test_without_a_folder_for_it_validation_comes_from_training(
    amounts: tuple[int | float, int | float, int | float], expected: list[int]
) -> None:
    found = assignments(in_folders(train=30, test=6), "folders", amounts)
    assert per_class(found, "/a/") == per_class(found, "/b/") == expected
    assert [assignment for path, assignment in found.items() if "/test/a/" in path].count("test") == expected[2]


def test_folders_that_name_no_subset_are_refused() -> None:
    with pytest.raises(UserError, match=r"expected a folder train, validation or test .* Received: other/a/0\.jpg"):
        assignments([image("other/a/0.jpg", "a")], "folders", THIRDS)


def test_numbered_images_in_folders_of_subsets() -> None:
    names = [
        f"{folder}/{label}.{n}.jpg" for folder in ("train", "val", "test") for label in ("cat", "dog") for n in (1, 2)
    ]
    found = assignments(placed(names), "folders", THIRDS)
    assert per_class(found, "cat.") == per_class(found, "dog.") == [2, 2, 2]
    assert found["val/cat.1.jpg"] == "validation"


def test_copies_of_one_image_never_lie_in_two_subsets() -> None:
    """Near copies 0 and 7 and the equal files 1 and 2, the latter kept once."""
    images = [image(f"cat.{n}.jpg", "cat", "same" if n in (1, 2) else None) for n in range(10)]
    found = assignments(images, "index", (5, 2, 3), groups=[0, 1, 1, 3, 4, 5, 6, 0, 8, 9])
    assert found["cat.7.jpg"] == "test"
    assert found["cat.0.jpg"] == STRADDLES
    assert (found["cat.1.jpg"], found["cat.2.jpg"]) == ("train", SAME_FILE)
    assert per_class(found, "cat") == [3, 2, 3]  # nothing takes the place of what is set aside


def test_near_copies_in_one_subset_stay() -> None:
    found = assignments(numbered(cat=6), "index", (3, 1, 2), groups=[0, 0, 0, 3, 4, 4])
    assert per_class(found, "cat") == [3, 1, 2]


def test_one_file_in_two_classes_belongs_to_none() -> None:
    images = [*numbered(cat=6, dog=6), image("cat/x.jpg", "cat", "both"), image("dog/x.jpg", "dog", "both")]
    found = assignments(images, "index", (3, 1, 2), groups=[*range(12), 12, 12])
    assert found["cat/x.jpg"] == found["dog/x.jpg"] == CONTRADICTION


def test_published_test_images_stay_and_their_copies_go() -> None:
    images = in_folders(train=5, val=5, test=5)
    groups = list(range(len(images)))
    test_place = next(place for place, image in enumerate(images) if "/test/a/0" in image.name)
    groups[0] = groups[test_place]  # a copy of the first training image
    found = assignments(images, "folders", THIRDS, groups)
    assert found["birds/test/a/0.jpg"] == "test"
    assert found["birds/train/a/0.jpg"] == STRADDLES
