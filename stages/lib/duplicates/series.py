"""Series of images that change little by little, such as a burst or the frames of a film."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stages.lib.duplicates.groups import Found
from stages.lib.inventory.contents import ArchiveImage, natural_order

_MOST = 0.2  # of a class: with less than five parts of it hardly any subset would have its share


def with_series(images: Sequence[ArchiveImage], found: Found) -> list[ArchiveImage]:
    """Make a group of each series, so that it stays in one subset.

    A series is of images that a chain of near copies joins, of more than one group of copies. One that is more than a
    fifth of a class, of its images or of its groups of copies, or has an image of a group that is named, is left as it
    is.

    Args:
        images: as `groups.search` got.
        found: by it.

    Returns:
        The images, those of a series with a group that is named after the content of its first image.
    """
    grouped = list(images)
    sizes = _sizes(images, found, range(len(images)))
    for series in _chains(found):
        if any(images[index].group for index in series):
            continue
        if any(count > _MOST * sizes[one] for one, count in _sizes(images, found, series).items()):
            continue
        first = min((images[index] for index in series), key=lambda image: natural_order(image.name))
        for index in series:
            grouped[index] = replace(images[index], group=f"series {first.sha256[:12]}", series=first.sha256)
    return grouped


def _sizes(images: Sequence[ArchiveImage], found: Found, indices: Sequence[int]) -> Counter[tuple[str, str]]:
    """How many images of each class there are among some, and how many groups of copies, which stay together anyway."""
    named = [(images[index].label, index, int(found.groups[index])) for index in indices]
    copies = {(label, group) for label, _, group in named}
    return Counter([*((label, "images") for label, *_ in named), *((label, "copies") for label, _ in copies)])


def _chains(found: Found) -> Iterator[list[int]]:
    """The images of each chain of near copies that is of several groups of copies."""
    count = len(found.groups)
    ends = np.concatenate([np.stack([np.arange(count), found.groups], axis=1), found.between])
    graph = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(count, count))
    chains = connected_components(graph, directed=False)[1]
    members: dict[int, list[int]] = defaultdict(list)
    for index in np.flatnonzero(np.isin(chains, chains[found.between])).tolist():
        members[int(chains[index])].append(index)
    yield from members.values()
