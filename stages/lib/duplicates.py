"""Copies of one picture: the same file twice, or the same picture resized, recompressed or retouched."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stages.lib.inventory import Picture

# Two pictures of one scene at 16 x 16 differ by less than this on average; two different ones hardly ever do.
THUMBNAIL_DIFFERENCE = 6.0  # of 255
_ROWS = 256  # hashes compared with all others at once
_PAIRS = 1 << 16  # thumbnails compared at once


def near_groups(pictures: Sequence[Picture], bits: int | None) -> np.ndarray:
    """Number the groups of pictures that are copies of each other.

    Two pictures are near duplicates if their perceptual hashes (imagehash's phash, 64 bits) differ in at most `bits`
    bits and their thumbnails agree; the latter drops the chance matches of a hash that sees only coarse structure.

    Args:
        bits: None finds equal files only.

    Returns:
        int64 (pictures,): equal numbers for copies, also copies of copies.
    """
    count = len(pictures)
    names = {sha256: number for number, sha256 in enumerate(dict.fromkeys(picture.sha256 for picture in pictures))}
    first = {names[picture.sha256]: place for place, picture in reversed(list(enumerate(pictures)))}
    rows = [np.arange(count)]
    columns = [np.array([first[names[picture.sha256]] for picture in pictures], np.int64)]
    if bits is not None:
        different = np.array(list(first.values()))
        for row, column in _near_pairs([pictures[place] for place in different], bits):
            rows.append(different[row])
            columns.append(different[column])
    row, column = np.concatenate(rows), np.concatenate(columns)
    graph = coo_array((np.ones(len(row), np.int8), (row, column)), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def distance(one: Picture, other: Picture) -> int:
    """Bits in which two perceptual hashes differ."""
    return (one.phash ^ other.phash).bit_count()


def _near_pairs(pictures: Sequence[Picture], bits: int) -> list[tuple[np.ndarray, np.ndarray]]:
    hashes = np.array([picture.phash for picture in pictures], np.uint64)
    thumbnails = np.stack([picture.thumbnail for picture in pictures]).astype(np.int16)
    pairs = []
    for start in range(0, len(hashes), _ROWS):
        block = hashes[start : start + _ROWS, np.newaxis]
        row, column = np.nonzero(np.bitwise_count(block ^ hashes[np.newaxis, start:]) <= bits)
        later = column > row
        row, column = row[later] + start, column[later] + start
        for part in range(0, len(row), _PAIRS):
            one, other = row[part : part + _PAIRS], column[part : part + _PAIRS]
            agree = np.abs(thumbnails[one] - thumbnails[other]).mean(axis=(1, 2)) < THUMBNAIL_DIFFERENCE
            pairs.append((one[agree], other[agree]))
    return pairs
