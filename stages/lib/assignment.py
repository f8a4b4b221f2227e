"""Which picture belongs to which subset."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from stages.lib.errors import UserError
from stages.lib.inventory import Picture, natural_order, subset_of
from stages.lib.manifest import SUBSETS, SubsetName

Amount = int | float
Amounts = dict[SubsetName, Amount]
UNUSED = "unused"
CONTRADICTION = "set aside: its copies have different classes"
SAME_FILE = "set aside: the same file is kept"
STRADDLES = "set aside: a copy is in another subset"


class Assigner:
    """Puts pictures into subsets, one after the other; copies of one picture never into two.

    The rule: of equal files one is kept, none if their classes differ; a picture whose copy is already in another
    subset is set aside. Nothing takes its place: which pictures test a model does not depend on copies elsewhere.
    """

    def __init__(self, pictures: Sequence[Picture], groups: np.ndarray) -> None:
        """Start with nothing assigned.

        Args:
            groups: int64 (pictures,), equal for copies.
        """
        self.pictures, self.groups = pictures, groups
        self.fate: list[str] = [UNUSED] * len(pictures)
        self._home: dict[int, str] = {}
        self._kept: set[str] = set()
        labels = defaultdict(set)
        for picture in pictures:
            labels[picture.sha256].add(picture.label)
        self._contradicted = {sha256 for sha256, classes in labels.items() if len(classes) > 1}

    def offer(self, place: int, subset: str) -> None:
        """Put a picture into a subset unless its copies forbid it."""
        picture, group = self.pictures[place], int(self.groups[place])
        if picture.sha256 in self._contradicted:
            self.fate[place] = CONTRADICTION
        elif picture.sha256 in self._kept:
            self.fate[place] = SAME_FILE
        elif self._home.setdefault(group, subset) != subset:
            self.fate[place] = STRADDLES
        else:
            self._kept.add(picture.sha256)
            self.fate[place] = subset


def assign(pictures: Sequence[Picture], groups: np.ndarray, order: str, amounts: Amounts, seed: int) -> list[str]:
    """Decide for every picture: a subset, "unused", or why it is set aside.

    Args:
        order: "index" by number in the file name; "shuffle" at random; "hash" by content, so that a picture keeps its
            subset when others are added; "folders" as the archive has them.
        amounts: per class; a whole number is a count, another a share of the class. With "folders" a count is a
            limit, and shares matter only where there is no folder for validation: the training pictures are divided
            in their ratio.

    Raises:
        UserError: a class has too few pictures, or the amounts do not fit the order.
    """
    _check(order, amounts)
    assigner = Assigner(pictures, groups)
    classes = defaultdict(list)
    for place in sorted(range(len(pictures)), key=lambda place: natural_order(pictures[place].name)):
        classes[pictures[place].label].append(place)
    for label in sorted(classes):
        places = classes[label]
        if order == "shuffle":
            places = _shuffled(places, label, seed)
        if order == "hash":
            _by_hash(assigner, places, amounts, seed)
        elif order == "folders":
            _by_folder(assigner, label, places, amounts, seed)
        else:
            _in_order(assigner, label, places, amounts)
    _require(assigner, sorted(classes))
    return assigner.fate


def _check(order: str, amounts: Amounts) -> None:
    shares = {name: amount for name, amount in amounts.items() if isinstance(amount, float)}
    if order == "hash" and len(shares) < len(amounts):
        raise UserError("split: order hash needs shares of the class (numbers below 1) for train, validation and test")
    if order != "folders" and sum(shares.values()) > 1 + 1e-9:
        raise UserError(f"split: expected shares of at most 1 together. Received: {sum(shares.values()):g}")


def _in_order(assigner: Assigner, label: str, places: Sequence[int], amounts: Amounts) -> None:
    quotas = _quotas(amounts, len(places))
    if sum(quotas.values()) > len(places):
        wanted = " + ".join(str(quotas[subset]) for subset in SUBSETS)
        raise UserError(
            f"split: class {label!r}: expected at least {wanted} pictures for train, validation and test. "
            f"Received: {len(places)}; ask for fewer, or for shares of the class"
        )
    start = 0
    for subset in SUBSETS:
        for place in places[start : start + quotas[subset]]:
            assigner.offer(place, subset)
        start += quotas[subset]


def _by_hash(assigner: Assigner, places: Sequence[int], amounts: Amounts, seed: int) -> None:
    edges = np.cumsum([amounts[subset] for subset in SUBSETS])
    for place in places:
        digest = hashlib.sha256(f"{seed} {assigner.pictures[place].sha256}".encode()).digest()
        position = int.from_bytes(digest[:8], "big") / 2**64
        index = int(np.searchsorted(edges, position, side="right"))
        if index < len(SUBSETS):
            assigner.offer(place, SUBSETS[index])


def _by_folder(assigner: Assigner, label: str, places: Sequence[int], amounts: Amounts, seed: int) -> None:
    folders: dict[SubsetName, list[int]] = {subset: [] for subset in SUBSETS}
    for place in places:
        folders[_folder(assigner.pictures[place])].append(place)
    if not folders["validation"]:
        mixed = _shuffled(folders["train"], label, seed)
        held_out = _held_out(amounts, len(mixed))
        folders["validation"], folders["train"] = mixed[:held_out], mixed[held_out:]
    # The test pictures first: others published theirs, so that of two copies the one elsewhere is set aside.
    for subset in reversed(SUBSETS):
        amount = amounts[subset]
        for place in folders[subset][: amount if isinstance(amount, int) else None]:
            assigner.offer(place, subset)


def _folder(picture: Picture) -> SubsetName:
    parents = PurePosixPath(picture.name).parent.parts
    if parents and parents[-1] == picture.label:
        parents = parents[:-1]
    for parent in parents:
        if subset := subset_of(parent):
            return subset
    raise UserError(
        f"split.order folders: expected a folder train, validation or test above each class. Received: {picture.name}"
    )


def _held_out(amounts: Amounts, count: int) -> int:
    train, validation = amounts["train"], amounts["validation"]
    if isinstance(validation, int):
        return min(validation, count)
    return round(count * validation / (train + validation if isinstance(train, float) else 1))


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


def _shuffled(places: Sequence[int], label: str, seed: int) -> list[int]:
    # Each class has a sequence of its own: another class that grows changes nothing here.
    rng = np.random.default_rng([seed, *label.encode()])
    return [places[index] for index in rng.permutation(len(places))]


def _require(assigner: Assigner, labels: Sequence[str]) -> None:
    found = Counter((picture.label, fate) for picture, fate in zip(assigner.pictures, assigner.fate, strict=True))
    for label in labels:
        for subset in SUBSETS:
            if not found[label, subset]:
                total = sum(count for (name, _), count in found.items() if name == label)
                raise UserError(
                    f"split: class {label!r}: expected at least one picture in {subset}, found none among its {total}"
                )
