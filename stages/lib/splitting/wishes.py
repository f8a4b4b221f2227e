"""What an order wants of the images of a class, and the blocks that it moves together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from safety.words import counted, first_few
from stages.lib.core.errors import UserError
from stages.lib.images.manifest import SubsetName
from stages.lib.inventory.contents import ArchiveImage

Amount = int | float
Amounts = dict[SubsetName, Amount]
Interval = tuple[float, float]
UNUSED = "unused"


class TooFew(UserError):
    """A class has too few images.

    Attributes:
        label: which.
    """

    def __init__(self, label: str, message: str) -> None:
        """Say it."""
        super().__init__(f"split: class {label!r}: {message}")
        self.label = label


def why_short(images: Sequence[ArchiveImage], assignments: Sequence[str], label: str) -> str:
    """Why a class lacks images in a subset, as the end of a sentence: what of it is set aside, and its groups.

    Args:
        images: of all classes.
        assignments: of each image its subset, or why it is set aside.
        label: of the class.
    """
    own = [(image, found) for image, found in zip(images, assignments, strict=True) if image.label == label]
    aside = [(image.sha256, found) for image, found in own if found.startswith("set aside")]
    told = [f"{count} {reason}" for reason, count in Counter(found for _, found in aside).items()]
    contents = {content for content, _ in aside}
    if others := sorted({image.label for image in images if image.sha256 in contents} - {label}):
        told.append(f"the same files are in {first_few(others, 3)}")
    if groups := {image.group for image, _ in own if image.group}:
        told.append(f"they are of {counted(len(groups), 'group')}, and a group stays in one subset")
    return "".join(f"; {one}" for one in told)


@dataclass(frozen=True)
class Wish:
    """Where an order wants the images of one class.

    Attributes:
        subsets: of each index, or "unused".
        positions: of each index in [0, 1).
        surplus: of each index how far its position is past the last that its subset's count takes; 0 of others.
        intervals: the positions that each subset takes by itself.
        least: images that each subset needs.
    """

    subsets: dict[int, str]
    positions: dict[int, float]
    surplus: dict[int, float]
    intervals: dict[SubsetName, Interval]
    least: dict[SubsetName, int]


def blocks_of(images: Sequence[ArchiveImage], indices: Sequence[int]) -> list[list[int]]:
    """Put indices of one group together, in the order of their first."""
    blocks: dict[str | int, list[int]] = {}
    for index in indices:
        blocks.setdefault(images[index].group or index, []).append(index)
    return list(blocks.values())


def shuffled(blocks: Sequence[list[int]], label: str, seed: int) -> list[list[int]]:
    """Shuffle the blocks of a class.

    Args:
        blocks: indices that stay together.
        label: of the class.
        seed: of all classes.
    """
    # Each class has a sequence of its own: another class that grows changes nothing here.
    rng = np.random.default_rng([seed, *label.encode()])
    return [blocks[index] for index in rng.permutation(len(blocks))]
