"""Which picture belongs to which subset, where some classes may be too small to be divided."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from stages.lib.core.errors import UserError
from stages.lib.inventory.contents import Picture
from stages.lib.inventory.strays import Strays
from stages.lib.splitting.assignment import assign
from stages.lib.splitting.orders import Amounts, TooFew

LEFT_OUT = "left out: its class has too few pictures"
OF_NO_SUBSET = "left out: it does not fit split.order folders"


def assign_large_classes(
    pictures: Sequence[Picture], copies: np.ndarray, order: str, amounts: Amounts, seed: int, least: int, strays: Strays
) -> list[str]:
    """Decide as `assignment.assign` for the classes that have enough pictures; the others are strays.

    Args:
        least: pictures that a class needs.

    Returns:
        For every picture its fate, also those left out.

    Raises:
        UserError: as `assign`; or fewer than two classes are left.
    """
    fates = [""] * len(pictures)
    left = list(range(len(pictures)))
    if strays.allowed and order == "folders":
        misplaced = _misplaced(pictures, strays)
        left = [place for place in left if place not in misplaced]
        fates = [OF_NO_SUBSET if place in misplaced else fate for place, fate in enumerate(fates)]
    while True:
        remaining = [pictures[place] for place in left]
        try:
            _check_least(remaining, least)
            found = assign(remaining, copies[left], order, amounts, seed)
            break
        except TooFew as error:
            small = [place for place in left if pictures[place].label == error.label]
            strays.put(error, [pictures[place].name for place in small], error.label)
            left = [place for place in left if place not in set(small)]
            for place in small:
                fates[place] = LEFT_OUT
            if len({pictures[place].label for place in left}) < 2:
                raise UserError(f"{error}; without it fewer than two classes are left") from None
    for place, fate in zip(left, found, strict=True):
        fates[place] = fate
    return fates


def _check_least(pictures: Sequence[Picture], least: int) -> None:
    counts = Counter(picture.label for picture in pictures)
    for label in sorted(counts, key=lambda label: (counts[label], label))[:1]:
        if counts[label] < least:
            told = f"expected at least {least} pictures, as split.min_per_class says. Received: {counts[label]}"
            raise TooFew(label, told)


def _misplaced(pictures: Sequence[Picture], strays: Strays) -> set[int]:
    """Places of pictures without a subset, and of groups in several."""
    subsets: dict[str, set[str | None]] = {}
    for picture in pictures:
        subsets.setdefault(picture.group, set()).add(picture.subset)
    divided = {name for name, found in subsets.items() if name and len(found) > 1}
    alone = [place for place, picture in enumerate(pictures) if picture.subset is None]
    apart = [place for place, picture in enumerate(pictures) if picture.group in divided]
    for places, told in ((alone, "expected a folder train, validation or test"), (apart, "its group is in several")):
        strays.put(UserError(f"split.order folders: {told}"), [pictures[place].name for place in places])
    return {*alone, *apart}
