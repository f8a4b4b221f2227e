"""Which image belongs to which subset, where some classes may be too small to be divided."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from safety.words import counted, first_few
from stages.lib.core.errors import UserError
from stages.lib.inventory.contents import ArchiveImage
from stages.lib.inventory.strays import Strays
from stages.lib.splitting.assignment import assign
from stages.lib.splitting.wishes import Amounts, TooFew

LEFT_OUT = "left out: its class has too few images"
OF_NO_SUBSET = "left out: it does not fit split.order folders"


def assign_large_classes(
    images: Sequence[ArchiveImage],
    copies: np.ndarray,
    order: str,
    amounts: Amounts,
    seed: int,
    least: int,
    strays: Strays,
) -> list[str]:
    """Decide as `assignment.assign` for the classes that have enough images; the others are strays.

    Args:
        images: as of `assignment.assign`.
        copies: likewise.
        order: likewise.
        amounts: likewise.
        seed: likewise.
        least: images that a class needs.
        strays: takes the classes that are too small, and what fits no subset.

    Returns:
        For every image its assignment, also of those left out.

    Raises:
        UserError: as `assign`; or fewer than two classes are left.
    """
    assignments = [""] * len(images)
    left = list(range(len(images)))
    if strays.allowed and order == "folders":
        misplaced = _misplaced(images, strays)
        left = [index for index in left if index not in misplaced]
        for index in misplaced:
            assignments[index] = OF_NO_SUBSET
    while True:
        remaining = [images[index] for index in left]
        try:
            _check_least(remaining, least, alone=strays.allowed)
            found = assign(remaining, copies[left], order, amounts, seed)
            break
        except TooFew as error:
            small = [index for index in left if images[index].label == error.label]
            strays.put(error, [images[index].name for index in small], error.label)
            left = [index for index in left if index not in set(small)]
            for index in small:
                assignments[index] = LEFT_OUT
            if len({images[index].label for index in left}) < 2:
                raise UserError(f"{error}; without it fewer than two classes are left") from None
    for index, assignment in zip(left, found, strict=True):
        assignments[index] = assignment
    return assignments


def _check_least(images: Sequence[ArchiveImage], least: int, alone: bool) -> None:
    """Refuse the smallest class that is too small; not `alone` names the others, too, which nobody wants to be told one
    run after the other.
    """
    counts = Counter(image.label for image in images)
    small = sorted((label for label in counts if counts[label] < least), key=lambda label: (counts[label], label))
    if small:
        told = f"expected at least {counted(least, 'image')}, as split.min_per_class says. Received: {counts[small[0]]}"
        others = [] if alone else [repr(label) for label in small[1:]]
        also = f"; too few in {counted(len(others), 'other class', 'other classes')}, too: {first_few(others, 3)}"
        raise TooFew(small[0], told + also if others else told)


def _misplaced(images: Sequence[ArchiveImage], strays: Strays) -> set[int]:
    """Indices of images without a subset, and of groups in several."""
    subsets: dict[str, set[str | None]] = {}
    for image in images:
        subsets.setdefault(image.group, set()).add(image.subset)
    divided = {name for name, found in subsets.items() if name and len(found) > 1}
    alone = [index for index, image in enumerate(images) if image.subset is None]
    apart = [index for index, image in enumerate(images) if image.group in divided]
    for indices, told in ((alone, "expected a folder train, validation or test"), (apart, "its group is in several")):
        strays.put(UserError(f"split.order folders: {told}"), [images[index].name for index in indices])
    return {*alone, *apart}
