"""Which image belongs to which subset."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from safety.words import first_few
from stages.lib.core.errors import UserError
from stages.lib.images.manifest import SUBSETS, SubsetName
from stages.lib.inventory.contents import ArchiveImage, natural_order
from stages.lib.splitting.orders import by_folder, by_hash, by_rank, settled_groups
from stages.lib.splitting.wishes import UNUSED, Amounts, TooFew, Wish, blocks_of, shuffled, why_short

CONTRADICTION = "set aside: its copies have different classes"
SAME_FILE = "set aside: the same file is kept"
STRADDLES = "set aside: a copy is in another subset"


class Assigner:
    """Puts images into subsets, one after the other; copies of one image, or a group, never into two.

    The rule: of equal files one is kept, none if their classes differ; an image whose copy is already in another
    subset is set aside. Nothing replaces it: which images test a model does not depend on copies elsewhere.
    """

    def __init__(self, images: Sequence[ArchiveImage], copies: np.ndarray) -> None:
        """Start with nothing assigned.

        Args:
            images: all that have a class.
            copies: int64 (images,), equal for copies.
        """
        self.images = images
        self.assignments: list[str] = [UNUSED] * len(images)
        self.counts: Counter[tuple[str, str]] = Counter()
        self._ties = [
            [("copy", number), *([("group", image.group)] if image.group else [])]
            for image, number in zip(images, copies.tolist(), strict=True)
        ]
        self._members = defaultdict(list)
        for index, ties in enumerate(self._ties):
            for tie in ties:
                self._members[tie].append(index)
        self._home: dict[tuple[str, object], str] = {}
        self._kept: set[str] = set()
        labels = defaultdict(set)
        for image in images:
            labels[image.sha256].add(image.label)
        self._contradicted = {sha256 for sha256, classes in labels.items() if len(classes) > 1}

    def offer(self, index: int, subset: str) -> None:
        """Put an image into a subset unless its copies forbid it."""
        image = self.images[index]
        if image.sha256 in self._contradicted:
            self.assignments[index] = CONTRADICTION
        elif image.sha256 in self._kept:
            self.assignments[index] = SAME_FILE
        elif not self.is_free(index, subset):
            self.assignments[index] = STRADDLES
        else:
            self._kept.add(image.sha256)
            self._put(index, subset)

    def is_free(self, index: int, subset: str) -> bool:
        """Whether nothing that an image must not be parted from is in another subset."""
        return all(self._home.get(tie, subset) == subset for tie in self._ties[index])

    def together(self, index: int) -> set[int]:
        """The indices that must move with this one: its copies and its group in its subset, theirs, and so on."""
        found, waiting = {index}, [index]
        while waiting:
            for tie in self._ties[waiting.pop()]:
                others = {one for one in self._members[tie] if self.assignments[one] == self.assignments[index]} - found
                found |= others
                waiting += others
        return found

    def move(self, indices: set[int], subset: str) -> None:
        """Move images of one subset, all that must stay together, to another."""
        for index in indices:
            self.counts[self.images[index].label, self.assignments[index]] -= 1
            self._put(index, subset)

    def _put(self, index: int, subset: str) -> None:
        self.assignments[index] = subset
        self.counts[self.images[index].label, subset] += 1
        self._home.update(dict.fromkeys(self._ties[index], subset))


def assign(images: Sequence[ArchiveImage], copies: np.ndarray, order: str, amounts: Amounts, seed: int) -> list[str]:
    """Decide for every image: a subset, "unused", or why it is set aside.

    Test images are chosen first, then those of validation: of two copies in different subsets the one that tests
    stays, and the one that would train is set aside. Except for "folders", a subset that is short of images of a
    class then gets some that are unused, or else of the subset with the most to spare: what lies nearest to its own.

    Args:
        images: all that have a class.
        copies: int64 (images,), equal for copies.
        order: "index" by number in the file name; "shuffle" at random; "hash" by content, so that an image keeps its
            subset when others are added; "folders" as the archive has them. The images of a group stay together.
        amounts: per class; a whole number is a count, another a share of the class. With "folders" a count is a limit,
            and shares matter only where there is no folder for validation: the training images are divided in their
            ratio.
        seed: of what is drawn.

    Raises:
        TooFew: a class has too few images.
        UserError: the amounts do not fit the order.
    """
    _check(images, order, amounts)
    assigner = Assigner(images, copies)
    classes = defaultdict(list)
    for index in sorted(range(len(images)), key=lambda index: natural_order(images[index].name)):
        classes[images[index].label].append(index)
    taken: dict[str, str] = {}
    settled = settled_groups(images) if order == "folders" else set()
    wishes = {label: _wish(images, classes[label], order, amounts, seed, taken, settled) for label in sorted(classes)}
    for subset in reversed(SUBSETS):
        for wish in wishes.values():
            for index in (index for index, wanted in wish.subsets.items() if wanted == subset):
                assigner.offer(index, subset)
    # Small classes first: they have the least to choose from.
    for label in sorted(wishes, key=lambda label: (len(classes[label]), label)):
        _fill(assigner, label, wishes[label])
        # A count may be missed, where copies were set aside; no subset may be empty.
        one = {subset: min(least, 1) for subset, least in wishes[label].least.items()}
        _fill(assigner, label, replace(wishes[label], least=one))
    _require(assigner, sorted(classes))
    return assigner.assignments


def _wish(
    images: Sequence[ArchiveImage],
    indices: list[int],
    order: str,
    amounts: Amounts,
    seed: int,
    taken: dict[str, str],
    settled: set[str],
) -> Wish:
    if order == "hash":
        return by_hash(images, indices, amounts, seed)
    if order == "folders":
        return by_folder(images, indices, amounts, seed, taken, settled)
    blocks = blocks_of(images, indices)
    if order == "shuffle":
        blocks = shuffled(blocks, images[indices[0]].label, seed)
    return by_rank(images, blocks, amounts, taken)


def _check(images: Sequence[ArchiveImage], order: str, amounts: Amounts) -> None:
    shares = [amount for amount in amounts.values() if isinstance(amount, float)]
    if order != "folders":
        if sum(shares) > 1 + 1e-9:
            raise UserError(f"split: expected shares of at most 1 together. Received: {sum(shares):g}")
        return
    subsets = defaultdict(set)
    for image in images:
        subsets[image.group].add(image.subset)
    divided = sorted(name for name, found in subsets.items() if name and len(found) > 1)
    if divided:
        raise UserError(
            f"split.order folders: expected each group in one subset, found {len(divided)} in several: "
            f"{first_few(divided, 3)}; another order keeps them together"
        )


def _fill(assigner: Assigner, label: str, wish: Wish) -> None:
    """Bring each subset up to what it needs, as far as the class has images."""
    # Training first: what a test image leaves free, as others come, is not for training then.
    for subset in (name for name in SUBSETS if assigner.counts[label, name] < wish.least[name]):
        start, end = wish.intervals[subset]
        far = {index: max(start - at, at - end, 0.0) for index, at in wish.positions.items()}
        nearest = sorted(far, key=lambda index: (far[index], wish.positions[index]))
        # The last of a surplus first: the others would come into use, or out of it, with each image that is added.
        for index in sorted(nearest, key=lambda index: -wish.surplus[index]):
            if assigner.counts[label, subset] >= wish.least[subset]:
                break
            if assigner.assignments[index] == UNUSED and assigner.is_free(index, subset):
                assigner.offer(index, subset)
        while assigner.counts[label, subset] < wish.least[subset]:
            given = next(_spare(assigner, label, wish, subset, nearest), None)
            if given is None:
                break
            assigner.move(given, subset)


def _spare(
    assigner: Assigner, label: str, wish: Wish, subset: SubsetName, nearest: Sequence[int]
) -> Iterator[set[int]]:
    """What another subset can give without falling short itself, from the one with the most to spare."""
    spare = {name: assigner.counts[label, name] - wish.least[name] for name in SUBSETS if name != subset}
    for donor in sorted(spare, key=lambda name: -spare[name]):
        for index in nearest if spare[donor] > 0 else ():
            if assigner.assignments[index] == donor:
                given = assigner.together(index)
                lost = Counter(assigner.images[one].label for one in given)
                if all(assigner.counts[name, donor] - count >= wish.least[donor] for name, count in lost.items()):
                    yield given


def _require(assigner: Assigner, labels: Sequence[str]) -> None:
    totals = Counter(image.label for image in assigner.images)
    for label in labels:
        for subset in SUBSETS:
            if not assigner.counts[label, subset]:
                why = why_short(assigner.images, assigner.assignments, label)
                told = f"expected at least one image in {subset}, found none among its {totals[label]}{why}"
                raise TooFew(label, told)
