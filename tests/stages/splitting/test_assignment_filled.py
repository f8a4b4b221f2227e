"""Who gives what where a subset is short, groups on the border of two subsets, and that no upgrade moves an image."""

from dataclasses import replace

import numpy as np

from stages.lib.images.manifest import SubsetName
from stages.lib.inventory.contents import ArchiveImage
from stages.lib.inventory.strays import Strays
from stages.lib.splitting.assignment import STRADDLES, assign
from stages.lib.splitting.small_classes import LEFT_OUT, assign_large_classes
from stages.lib.splitting.wishes import Amount
from tests.stages.splitting.test_assignment_kept import assignments, counts, images_of


def grouped(images: list[ArchiveImage], groups: list[str]) -> list[ArchiveImage]:
    return [replace(image, group=group) for image, group in zip(images, groups, strict=True)]


def test_no_upgrade_moves_an_image() -> None:
    """By its content, and by the name of its group: what has tested a model would train the next one."""
    letters = {"train": "t", "validation": "v", "test": "e"}
    alone = assignments(images_of(a=24), seed=1)
    assert "".join(letters[alone[f"a.{n}.jpg"]] for n in range(24)) == "eeveeteeevtveetvvevtevte"
    whole = assignments(images_of(2, a=24), seed=1)
    assert "".join(letters[whole[f"a.{n}.jpg"]] for n in range(0, 24, 2)) == "eetevevettvv"


def test_small_classes_choose_first() -> None:
    """Else the larger one may take the groups that the smaller one needs."""
    images = grouped(images_of(a=4, b=3), ["", "g2", "g3", "", "g3", "g0", "g1"])
    found = assignments(images, (0.5, 1, 1), seed=3)
    assert counts(found, "b") == [1, 1, 1]


def test_the_subset_with_the_most_to_spare_gives() -> None:
    """No image is for validation by itself: training gives one, and all test images stay."""
    for seed in range(5):
        tested = [
            {name for name, subset in assignments(images_of(a=30), amounts, seed=seed).items() if subset == "test"}
            for amounts in ((0.7, 0.1, 0.2), (0.8 - 1e-6, 1e-6, 0.2))
        ]
        assert tested[0] == tested[1] != set()


def test_a_group_on_a_border_goes_where_most_of_it_would() -> None:
    """Five groups of four images. Of the third one image would train; of the first all of five would validate."""
    images = grouped(images_of(a=20), [f"g{n // 4}" for n in range(20)])
    assert counts(assignments(images, (0.45, 0.2, 0.35), "index"), "a") == [8, 4, 8]
    trained = [replace(image, subset="train") for image in images]
    tests: list[ArchiveImage] = [replace(image, sha256=image.name, subset="test") for image in images_of(a=20)]
    tests = [replace(image, name=image.name.replace(".", ".9", 1)) for image in tests]
    assert counts(assignments([*trained, *tests], (0.75, 0.25, 1.0), "folders"), "a") == [16, 4, 20]


def test_shares_that_are_everything_but_for_rounding_are_taken() -> None:
    amounts = (0.55, 0.34, 0.11)
    assert sum(amounts) > 1
    assert counts(assignments(images_of(a=100), amounts, "index"), "a") == [55, 34, 11]


def test_copies_are_known_beside_a_class_that_is_left_out() -> None:
    """The first and the last dog are one image; of ants there is one, and it comes before all others."""
    images = images_of(ant=1, cat=10, dog=10)
    copies = np.array([*range(20), 11])
    amounts: dict[SubsetName, Amount] = {"train": 5, "validation": 2, "test": 3}
    found = assign_large_classes(images, copies, "index", amounts, 1, 3, Strays(allowed=True, most=1))
    assert found[0] == LEFT_OUT
    assert (found[11], found[20]) == (STRADDLES, "test")
    assert found[1:] == assign(images[1:], copies[1:], "index", amounts, 1)
