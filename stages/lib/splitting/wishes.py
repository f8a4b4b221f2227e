"""What an order wants of the images of a class, and the blocks that it moves together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
