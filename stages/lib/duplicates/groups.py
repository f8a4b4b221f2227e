"""Copies of one image: the same file twice, or the image resized, recompressed, cropped, mirrored or retouched."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from stages.lib.duplicates.candidates import candidates
from stages.lib.duplicates.likeness import distances, has_detail
from stages.lib.inventory.contents import ArchiveImage

_COUNT = 3  # images that each is compared with, in each tree of the search
_ROUNDS = 32  # searches; real images need a few, whatever their number, and made-up ones could need one for every few
_CHUNK = 1024  # pairs whose thumbnails are gathered at once


@dataclass(frozen=True)
class Found:
    """What a search for copies found.

    Attributes:
        groups: int64 (images,), the index of the image that stands for the group, equal for copies.
        growing: groups that were still growing when the search was ended, because of its time: they may have more
            copies among the images.
        alike: int64 (images,), the index of the first image that looks the same to the pixel of its thumbnail.
        between: int64 (pairs, 2), near copies in different groups, as numbers of `alike`; those that the search met.
    """

    groups: np.ndarray
    growing: int
    alike: np.ndarray
    between: np.ndarray


def near_groups(images: Sequence[ArchiveImage], limit: float | None) -> np.ndarray:
    """int64 (images,): the place of the image that stands for the group, as from `search`."""
    return search(images, limit).groups


def search(images: Sequence[ArchiveImage], limit: float | None) -> Found:
    """Group the images that are copies of each other.

    Near copies are found by their thumbnails (`likeness.distances`, also of the mirror image), among those that are
    roughly alike (`candidates`). Every image of a group is a copy of the one that stands for it: copies of copies
    are none, so a series that changes slowly falls into many groups, and there are near copies between these. What has
    no detail, as an empty page, is a copy of equal files only.

    Args:
        images: all of them, with their thumbnails.
        limit: largest distance of a near copy; None finds equal files only.
    """
    files = _first([image.sha256 for image in images])
    if limit is None or not len(files):
        return Found(files, 0, files, np.empty((0, 2), np.int64))
    different = np.unique(files)
    # Equal thumbnails need no search, however many there are.
    seen = different[_first([images[index].thumbnail.tobytes() for index in different])]
    distinct = np.unique(seen)
    distinct = distinct[has_detail([images[index].thumbnail for index in distinct])]
    found, links, growing = _grouped([images[index].thumbnail for index in distinct], limit)
    groups, alike = np.arange(len(images)), np.arange(len(images))
    known = np.isin(seen, distinct)
    alike[different[known]] = seen[known]
    groups[different[known]] = distinct[found][np.searchsorted(distinct, seen[known])]
    between = links[found[links[:, 0]] != found[links[:, 1]]]
    return Found(groups[files], growing, alike[files], distinct[between])


def compared(images: Sequence[ArchiveImage], groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare each image with the one that stands for its group.

    Args:
        images: the same as `near_groups` got.
        groups: as from `near_groups`.

    Returns:
        float32 (images,): the distance, 0 for equal files. bool (images,): whether it is nearer mirrored.
    """
    apart, mirrored = np.zeros(len(images), np.float32), np.zeros(len(images), bool)
    indices = [index for index, group in enumerate(groups) if images[index].sha256 != images[group].sha256]
    if indices:
        pairs = np.stack([np.minimum(indices, groups[indices]), np.maximum(indices, groups[indices])], axis=1)
        thumbnails = [image.thumbnail for image in images]
        plain, turned = (_measured(thumbnails, np.insert(pairs, 2, mirror, axis=1)) for mirror in (0, 1))
        apart[indices], mirrored[indices] = np.minimum(plain, turned), turned < plain
    return apart, mirrored


def _first(values: Sequence[Hashable]) -> np.ndarray:
    """int64 (values,): the index at which each value comes first."""
    indices: dict[Hashable, int] = {}
    return np.array([indices.setdefault(value, index) for index, value in enumerate(values)], np.int64)


def _grouped(thumbnails: Sequence[np.ndarray], limit: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Who stands for each, int64 (images,); near copies, int64 (pairs, 2); groups that were still growing at the end.

    Where one has more copies than it was compared with, those that stand for a group are searched again, without the
    others: each search of real images makes them fewer by a factor. Thumbnails can be made up that are copies of one
    and of no other: then each search finds but a few more, and only the limit of rounds keeps the time from growing
    with the square of the images.
    """
    leaders, crowded = np.arange(len(thumbnails)), np.ones(len(thumbnails), bool)
    links = np.empty((0, 2), np.int64)
    for _ in range(_ROUNDS):
        if not crowded.any():
            break
        remaining = np.unique(leaders)
        pairs = candidates([thumbnails[index] for index in remaining], _COUNT)
        pairs[:, :2] = remaining[pairs[:, :2]]
        near = _copies(thumbnails, pairs[crowded[pairs[:, :2]].any(axis=1)], limit)
        if not len(near):
            crowded[:] = False
            break
        links = np.concatenate([links, near, _merging(thumbnails, leaders, near, limit)])
        links = np.unique(links, axis=0)
        before, leaders = leaders, _stars(len(thumbnails), links)
        sizes = np.bincount(leaders, minlength=len(leaders))
        crowded = (sizes > _COUNT) & (sizes > np.bincount(before, minlength=len(leaders)))
    return leaders, links, int(crowded.sum())


def _merging(thumbnails: Sequence[np.ndarray], leaders: np.ndarray, near: np.ndarray, limit: float) -> np.ndarray:
    """Copies of a leader among the members of a smaller group whose leader is one; each group with one other only."""
    sizes = np.bincount(leaders, minlength=len(leaders))
    larger: dict[int, int] = {}
    for pair in near.tolist():
        other, one = sorted(pair, key=lambda index: (-sizes[index], index))
        larger[one] = min(larger.get(one, other), other, key=lambda index: (-sizes[index], index))
    members = np.flatnonzero(leaders != np.arange(len(leaders))).tolist()
    pairs = [sorted((larger[int(leaders[index])], index)) for index in members if int(leaders[index]) in larger]
    plain, mirrored = (np.insert(np.array(pairs, np.int64).reshape(-1, 2), 2, turn, axis=1) for turn in (0, 1))
    fitting = _measured(thumbnails, plain) <= limit
    turned = _copies(thumbnails, mirrored[~fitting], limit)
    return np.concatenate([plain[fitting, :2], turned])


def _copies(thumbnails: Sequence[np.ndarray], pairs: np.ndarray, limit: float) -> np.ndarray:
    """int64 (copies, 2): those of the pairs that are near enough."""
    return np.unique(pairs[_measured(thumbnails, pairs) <= limit, :2], axis=0)


def _measured(thumbnails: Sequence[np.ndarray], pairs: np.ndarray) -> np.ndarray:
    """float32 (pairs,): distances; the second of a pair is mirrored where the third number is 1."""
    found = [np.empty(0, np.float32)]
    for part in (pairs[start : start + _CHUNK] for start in range(0, len(pairs), _CHUNK)):
        one = np.stack([thumbnails[index] for index in part[:, 0]])
        other = np.stack([thumbnails[index][:, ::-1] if turned else thumbnails[index] for _, index, turned in part])
        found.append(distances(one, other))
    return np.concatenate(found)


def _stars(count: int, links: np.ndarray) -> np.ndarray:
    """int64 (count,): who stands for each: those with the most copies first, for all of these that no other has."""
    near: dict[int, list[int]] = defaultdict(list)
    for one, other in links.tolist():
        near[one].append(other)
        near[other].append(one)
    leaders, free = np.arange(count), np.ones(count, bool)
    for index in sorted(near, key=lambda index: (-len(near[index]), index)):
        if free[index]:
            taken = [index, *(other for other in near[index] if free[other])]
            leaders[taken], free[taken] = index, False
    return leaders
