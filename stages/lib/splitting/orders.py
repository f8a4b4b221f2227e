"""Where each order wants the images of a class, before copies are looked at."""

import hashlib
from collections.abc import Collection, Sequence

import numpy as np

from stages.lib.core.errors import UserError
from stages.lib.images.manifest import SUBSETS, SubsetName
from stages.lib.inventory.contents import ArchiveImage
from stages.lib.splitting.wishes import UNUSED, Amounts, Interval, TooFew, Wish, blocks_of, shuffled


def by_hash(images: Sequence[ArchiveImage], indices: Sequence[int], amounts: Amounts, seed: int) -> Wish:
    """Put each image by a hash of its content, its group or the first of its series, so that it stays as others come.

    Args:
        images: of all classes.
        indices: of the class's images, in their natural order.
        amounts: a share is the part of the positions that a subset takes; counts divide the rest in their ratio, and
            take the first of each part.
        seed: of the hash.
    """
    least = {subset: amount if isinstance(amount, int) else 1 for subset, amount in amounts.items()}
    if any(isinstance(amount, int) for amount in amounts.values()):
        _check_enough(images[indices[0]].label, least, len(indices))
    intervals = _intervals(amounts)
    positions = {index: _position(images[index], seed) for index in indices}
    homes = {index: _home(position, intervals) for index, position in positions.items()}
    subsets = dict(homes)
    _limit(subsets, sorted(indices, key=positions.__getitem__), amounts)
    ends = {
        home: max(at for index, at in positions.items() if subsets[index] == home) for home in set(subsets.values())
    }
    over = [index for index in indices if subsets[index] != homes[index]]
    surplus = dict.fromkeys(indices, 0.0) | {index: positions[index] - ends[homes[index]] for index in over}
    return Wish(subsets, positions, surplus, intervals, least)


def by_rank(
    images: Sequence[ArchiveImage], blocks: Sequence[Sequence[int]], amounts: Amounts, taken: dict[str, str]
) -> Wish:
    """Give the first blocks of images to training, the next to validation, then to test.

    Args:
        images: of all classes.
        blocks: indices that stay together, in the order of the class.
        amounts: as of `assignment.assign`.
        taken: subsets of groups in other classes; those of this one are added.
    """
    count = sum(map(len, blocks))
    quotas = _quotas(amounts, count)
    _check_enough(images[blocks[0][0]].label, quotas, count)
    ends = np.cumsum([quotas[subset] for subset in SUBSETS])
    subsets: dict[int, str] = {}
    positions: dict[int, float] = {}
    for block in blocks:
        middle = len(subsets) + len(block) / 2
        index = int(np.searchsorted(ends, middle, side="right"))
        wanted = _kept_together(images[block[0]], SUBSETS[index] if index < len(SUBSETS) else UNUSED, taken)
        subsets |= dict.fromkeys(block, wanted)
        positions |= dict.fromkeys(block, middle / count)
    _limit(subsets, [index for block in blocks for index in block], amounts)
    edges = [0.0, *(ends / count).tolist()]
    intervals = {subset: (edges[index], edges[index + 1]) for index, subset in enumerate(SUBSETS)}
    return Wish(subsets, positions, dict.fromkeys(subsets, 0.0), intervals, dict.fromkeys(SUBSETS, 1))


def settled_groups(images: Sequence[ArchiveImage]) -> set[str]:
    """Groups with images in classes that have a folder for validation: these stay, and so does the whole group."""
    divided = {image.label for image in images if image.subset == "validation"}
    return {image.group for image in images if image.group and image.label in divided}


def by_folder(
    images: Sequence[ArchiveImage],
    indices: Sequence[int],
    amounts: Amounts,
    seed: int,
    taken: dict[str, str],
    settled: Collection[str],
) -> Wish:
    """Leave images where whoever collected them put them; without validation, divide the training images.

    Args:
        images: of all classes.
        indices: as above.
        amounts: as of `assignment.assign`.
        seed: of what is held out for validation.
        taken: as above.
        settled: groups that stay where they are (`settled_groups`).
    """
    given: dict[str, list[int]] = {subset: [] for subset in SUBSETS}
    for index in indices:
        given[_subset(images[index])].append(index)
    if not given["validation"] and given["train"]:
        label, train = images[indices[0]].label, given["train"]
        held_out = _held_out(amounts, len(train))
        given["train"] = [index for index in train if images[index].group in settled]
        seen = 0
        free = [index for index in train if images[index].group not in settled]
        for block in shuffled(blocks_of(images, free), label, seed):
            wanted = "validation" if seen + len(block) / 2 < held_out else "train"
            given[_kept_together(images[block[0]], wanted, taken)] += block
            seen += len(block)
    subsets = {index: subset for subset, found in given.items() for index in found}
    _limit(subsets, [index for found in given.values() for index in found], amounts)
    nowhere: dict[SubsetName, Interval] = dict.fromkeys(SUBSETS, (0.0, 1.0))
    apart = dict.fromkeys(indices, 0.0)
    return Wish(subsets, apart, apart, nowhere, dict.fromkeys(SUBSETS, 0))


def _intervals(amounts: Amounts) -> dict[SubsetName, Interval]:
    shares = sum(amount for amount in amounts.values() if isinstance(amount, float))
    counts = sum(amount for amount in amounts.values() if isinstance(amount, int))
    intervals: dict[SubsetName, Interval] = {}
    start = 0.0
    for subset in SUBSETS:
        amount = amounts[subset]
        end = start + (amount if isinstance(amount, float) else max(0.0, 1 - shares) * amount / counts)
        # Nothing is left over for a rounding error in the sum.
        intervals[subset] = (start, 1.0 if abs(end - 1) < 1e-9 else end)
        start = end
    return intervals


def _home(position: float, intervals: dict[SubsetName, Interval]) -> str:
    return next((subset for subset, (start, end) in intervals.items() if start <= position < end), UNUSED)


def _position(image: ArchiveImage, seed: int) -> float:
    # A series lies where its first image does, so that this one stays when the others arrive.
    key = image.series or (f"group {image.group}" if image.group else image.sha256)
    return int.from_bytes(hashlib.sha256(f"{seed} {key}".encode()).digest()[:6], "big") / 2**48


def _kept_together(image: ArchiveImage, wanted: str, taken: dict[str, str]) -> str:
    """Where a block goes: to the others of its group, where another class has put them."""
    if not image.group or wanted == UNUSED:
        return wanted
    return taken.setdefault(image.group, wanted)


def _limit(subsets: dict[int, str], indices: Sequence[int], amounts: Amounts) -> None:
    """Leave the first of each subset that has a count; the others are unused."""
    for subset, amount in amounts.items():
        if isinstance(amount, int):
            found = [index for index in indices if subsets[index] == subset]
            subsets.update(dict.fromkeys(found[amount:], UNUSED))


def _check_enough(label: str, wanted: dict[SubsetName, int], count: int) -> None:
    if sum(wanted.values()) > count:
        raise TooFew(
            label,
            f"expected at least {' + '.join(str(wanted[name]) for name in SUBSETS)} images "
            f"for train, validation and test. Received: {count}; ask for fewer, or for shares of the class",
        )


def _quotas(amounts: Amounts, count: int) -> dict[SubsetName, int]:
    """Counts as they are; shares so that together they lose nothing to rounding."""
    quotas: dict[SubsetName, int] = {}
    before = 0.0
    for subset, amount in amounts.items():
        if isinstance(amount, float):
            quotas[subset] = round((before + amount) * count) - round(before * count)
            before += amount
        else:
            quotas[subset] = amount
    return quotas


def _subset(image: ArchiveImage) -> SubsetName:
    if image.subset is None:
        raise UserError(
            "split.order folders: expected a folder train, validation or test above or below each class, or subsets by "
            f"split.labels. Received: {image.name}"
        )
    return image.subset


def _held_out(amounts: Amounts, count: int) -> int:
    train, validation = amounts["train"], amounts["validation"]
    if isinstance(validation, int):
        return min(validation, count)
    return max(1, round(count * validation / (train + validation if isinstance(train, float) else 1)))
