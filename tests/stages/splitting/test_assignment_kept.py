"""An image keeps its subset when others come, whatever the amounts, the sizes of classes, their copies and groups."""

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest

from stages.lib.core.errors import UserError
from stages.lib.images.manifest import SUBSETS
from stages.lib.inventory.contents import ArchiveImage
from stages.lib.splitting.assignment import STRADDLES, UNUSED, assign
from stages.lib.splitting.wishes import Amount

SHARES = (0.4, 0.2, 0.4)
ORDERS = ["index", "shuffle", "hash"]


def images_of(groups: int = 0, **counts: int) -> list[ArchiveImage]:
    """Numbered images; with `groups`, that many of each class in turn belong to a group, over all classes."""
    thumbnail = np.zeros((48, 48, 3), np.uint8)
    return [
        ArchiveImage(
            f"{c}.{n}.jpg", c, 8, 8, 9, f"{c}{n}", thumbnail, 0.5, 9.0, None, f"g{n // groups}" if groups else ""
        )
        for c, count in counts.items()
        for n in range(count)
    ]


def assignments(
    images: list[ArchiveImage],
    amounts: tuple[Amount, Amount, Amount] = SHARES,
    order: str = "hash",
    seed: int = 1,
    copies: dict[str, str] | None = None,
) -> dict[str, str]:
    """The assignment of each; `copies`: an image and the one of which it is a near copy."""
    places = {image.name: place for place, image in enumerate(images)}
    numbers = np.array([places[(copies or {}).get(image.name, image.name)] for image in images])
    found = assign(images, numbers, order, dict(zip(SUBSETS, amounts, strict=True)), seed)
    check(images, numbers, found)
    return {image.name: assignment for image, assignment in zip(images, found, strict=True)}


def check(images: list[ArchiveImage], copies: np.ndarray, found: list[str]) -> None:
    """What holds whatever the order: each class is everywhere, and what belongs together is in one subset."""
    subsets = defaultdict(set)
    for image, copy, assignment in zip(images, copies.tolist(), found, strict=True):
        if assignment in SUBSETS:
            subsets["class", image.label].add(assignment)
            subsets["copy", copy].add(assignment)
            subsets["group", image.group or image.name].add(assignment)
    for (kind, _), assignments in subsets.items():
        assert len(assignments) == (3 if kind == "class" else 1)


def counts(found: dict[str, str], label: str) -> list[int]:
    assignments = Counter(assignment for name, assignment in found.items() if name.startswith(f"{label}."))
    return [assignments[subset] for subset in SUBSETS]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("count", [3, 4, 5, 6, 7, 10, 20])
@pytest.mark.parametrize("amounts", [SHARES, (0.8, 0.1, 0.1), (0.1, 0.1, 0.1), (0.98, 0.01, 0.01)])
def test_three_images_of_a_class_are_enough_for_shares(order: str, count: int, amounts: tuple[float, ...]) -> None:
    for seed in range(20):
        found = assignments(images_of(a=count, b=count, c=3), amounts, order, seed)
        assert set(found.values()) <= {*SUBSETS, UNUSED}


@pytest.mark.parametrize("order", ORDERS)
def test_two_images_of_a_class_are_too_few(order: str) -> None:
    with pytest.raises(UserError, match="class 'b': expected at least one image in"):
        assignments(images_of(a=9, b=2), SHARES, order)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(10))
def test_three_different_images_are_enough_whatever_copies_they_have(order: str, seed: int) -> None:
    """`a.0`, `a.3` and `a.6` are copies of one image, and so on."""
    copies = {f"a.{n}.jpg": f"a.{n % 3}.jpg" for n in range(9)}
    found = assignments(images_of(a=9, b=9), SHARES, order, seed, copies)
    assert all(counts(found, "a"))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("groups", [2, 3, 5])
def test_groups_over_all_classes_stay_whole(order: str, seed: int, groups: int) -> None:
    """`check` holds them together; nothing of a share is lost."""
    found = assignments(images_of(groups, a=3 * groups, b=12 * groups, c=7 * groups), SHARES, order, seed)
    assert set(found.values()) <= set(SUBSETS)


@pytest.mark.parametrize(
    ("amounts", "between"),
    [
        *(((share, 0.2, rest), 0) for share, rest in ((0.4, 0.4), (0.7, 0.1))),
        *(((train, 10, 20), 0) for train in (30, 10, 1)),
        ((0.5, 10, 0.3), 0),
        # Every image is needed somewhere: the two that become unused are others than the two that came.
        ((40, 20, 40), 2),
        ((0.8, 0.2, 10), 2),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_by_hash_two_images_more_move_none(amounts: tuple[Amount, ...], between: int, seed: int) -> None:
    before, after = (assignments(images_of(a=count, b=100), amounts, seed=seed) for count in (100, 102))
    changed = [name for name, assignment in before.items() if after[name] != assignment]
    assert len([name for name in changed if UNUSED not in (before[name], after[name])]) <= between
    assert len(changed) <= (0 if all(isinstance(amount, float) for amount in amounts) else 2 + between)
    assert [after[f"b.{n}.jpg"] for n in range(100)] == [before[f"b.{n}.jpg"] for n in range(100)]


@pytest.mark.parametrize("amounts", [(40, 20, 40), (10, 5, 10), (1, 1, 1), (70, 5, 25), (1, 98, 1), (0.5, 20, 20)])
def test_by_hash_counts_are_met_exactly(amounts: tuple[Amount, ...]) -> None:
    for seed in range(10):
        found = counts(assignments(images_of(a=100, b=101), amounts, seed=seed), "a")
        assert [one for one, amount in zip(found, amounts, strict=True) if isinstance(amount, int)] == [
            amount for amount in amounts if isinstance(amount, int)
        ]


def test_by_hash_too_few_images_for_counts_name_the_class() -> None:
    with pytest.raises(UserError, match=r"class 'b': expected at least 4 \+ 2 \+ 4 images .* Received: 9"):
        assignments(images_of(a=10, b=9), (4, 2, 4))


def test_by_hash_shares_are_about_what_they_say() -> None:
    found = counts(assignments(images_of(a=4000, b=3)), "a")
    assert found == pytest.approx([1600, 800, 1600], abs=100)


@pytest.mark.parametrize("order", ["shuffle", "hash"])
def test_an_old_test_image_stays_when_its_copy_arrives_and_the_copy_never_trains(order: str) -> None:
    before = assignments(images_of(a=60, b=60), order=order)
    tested = [name for name, assignment in before.items() if assignment == "test" and name.startswith("a.")]
    for old in tested:
        images = images_of(a=61, b=60)
        after = assignments(images, order=order, copies={"a.60.jpg": old})
        if order == "hash":
            assert after[old] == "test"
            assert {name for name in before if after[name] != before[name]} == set()
        assert after["a.60.jpg"] in ("test", STRADDLES) or after[old] in ("test", STRADDLES)
        assert "train" not in (after["a.60.jpg"], after[old]) or STRADDLES in (after["a.60.jpg"], after[old])


def test_a_group_by_hash_goes_by_its_name_and_keeps_its_subset_as_it_grows() -> None:
    before, after = (assignments(images_of(5, a=count, b=count)) for count in (100, 200))
    assert before.items() <= after.items()


def test_a_series_by_hash_comes_to_its_first_image_which_stays() -> None:
    """Else an image that has tested models would learn as soon as the rest of its burst arrives, or the other way."""
    alone = images_of(a=60, b=60)
    before = assignments(alone)
    for first in range(60):
        burst = [first, *range(60, 64)]
        images = images_of(a=64, b=60)
        for index in burst:
            images[index] = replace(images[index], group="series 1", series=alone[first].sha256)
        after = assignments(images)
        assert {name: after[name] for name in before} == before
        assert {after[images[index].name] for index in burst} == {before[alone[first].name]}


@pytest.mark.parametrize("own", ["a", "b"])
@pytest.mark.parametrize("seed", range(4))
def test_a_group_stays_whole_where_only_one_of_its_classes_has_a_folder_for_validation(own: str, seed: int) -> None:
    """What would leave that class for the sake of the other's validation images was set aside, listed nowhere."""
    of = {"train": 6, "test": 3}
    places = [
        (label, subset, n)
        for label in "ab"
        for subset, count in (of | ({"validation": 3} if label == own else {})).items()
        for n in range(count)
    ]
    images = [
        replace(
            image,
            name=f"{label}.{subset}{n}.jpg",
            label=label,
            sha256=f"{label}{subset}{n}",
            subset=subset,
            group=f"g{n}" if subset == "train" and n < 4 else "",
        )
        for image, (label, subset, n) in zip(images_of(a=len(places)), places, strict=True)
    ]
    found = assignments(images, order="folders", seed=seed)
    assert all(found[f"{own}.{subset}{n}.jpg"] == subset for label, subset, n in places if label == own)
    assert set(found.values()) <= set(SUBSETS)


@pytest.mark.parametrize(
    "amounts", [SHARES, (0.7, 0.15, 0.15), (3, 1, 2), (1, 1, 1), (0.5, 2, 0.25), (0.4, 0.2, 2), (0.1, 2, 0.1)]
)
def test_what_is_divided_at_random_is_divided_by_hash(amounts: tuple[Amount, ...]) -> None:
    """So `smallset retrain`, which takes the one for the other, never fails for it."""
    for count in range(3, 14):
        for seed in range(5):
            copies = {f"a.{count - 1}.jpg": "a.0.jpg"}
            try:
                assignments(images_of(a=count, b=20), amounts, "shuffle", seed, copies)
            except UserError:
                continue
            assignments(images_of(a=count, b=20), amounts, "hash", seed, copies)
