"""Copies of one picture: the same file twice, or the same picture resized, recompressed or retouched."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stages.lib.inventory import Picture

# Two pictures of one scene at 16 x 16 differ by less than this on average; two different ones hardly ever do.
THUMBNAIL_DIFFERENCE = 6.0  # of 255
_BITS = 64  # of a hash
_PAIRS = 1 << 16  # pictures compared at once


def near_groups(pictures: Sequence[Picture], bits: int | None) -> np.ndarray:
    """Number the groups of pictures that are copies of each other.

    Two pictures are near duplicates if their perceptual hashes (imagehash's phash, 64 bits) differ in at most `bits`
    bits and their thumbnails agree; the latter drops the chance matches of a hash that sees only coarse structure.

    Args:
        bits: None finds equal files only.

    Returns:
        int64 (pictures,): equal numbers for copies, also copies of copies.
    """
    names = {sha256: number for number, sha256 in enumerate(dict.fromkeys(picture.sha256 for picture in pictures))}
    first = {names[picture.sha256]: place for place, picture in reversed(list(enumerate(pictures)))}
    places = np.array([names[picture.sha256] for picture in pictures], np.int64)
    if bits is None:
        return places
    different = [pictures[first[number]] for number in range(len(first))]
    return _near([picture.phash for picture in different], [picture.thumbnail for picture in different], bits)[places]


def distance(one: Picture, other: Picture) -> int:
    """Bits in which two perceptual hashes differ."""
    return (one.phash ^ other.phash).bit_count()


def _near(phashes: Sequence[int], pixels: Sequence[np.ndarray], bits: int) -> np.ndarray:
    """int64 (pictures,): groups of near duplicates.

    Hashes that differ in at most `bits` bits agree in one of `bits` + 1 bands of them at least: only those that agree
    in a band are compared, which loses none (Norouzi, Punjani & Fleet 2012, "Fast search in Hamming space with
    multi-index hashing", CVPR).
    """
    hashes, thumbnails = np.array(phashes, np.uint64), np.stack(pixels).astype(np.int16)
    groups = np.arange(len(hashes))
    for band in _bands(bits):
        keys, width, last = hashes & band, 1, False
        while not last:
            order = np.lexsort((groups, keys))
            # Each with those of its key that follow its own group, at most so many.
            after, ends = _ends(keys[order], groups[order]), _ends(keys[order])
            last = bool((after + width >= ends).all())
            pairs = _pairs(after, np.minimum(ends, after + width))
            found = [_near_pairs(order[one], order[other], hashes, thumbnails, bits) for one, other in pairs]
            # Joined before the next, wider look: of a thousand blank pages each is compared with a few, not with all.
            groups, width = _joined(groups, found), 4 * width
    return groups


def _pairs(starts: np.ndarray, ends: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every place with those from its start to before its end, some at a time."""
    for step in range(int((ends - starts).max())):
        left = np.flatnonzero(starts + step < ends)
        for part in (left[first : first + _PAIRS] for first in range(0, len(left), _PAIRS)):
            yield part, starts[part] + step


def _ends(*columns: np.ndarray) -> np.ndarray:
    """For each row of sorted columns the place after the last row that equals it."""
    count = len(columns[0])
    starts = np.flatnonzero(np.any([np.r_[True, column[1:] != column[:-1]] for column in columns], axis=0))
    sizes = np.diff(starts, append=count)
    return np.repeat(starts + sizes, sizes)


def _bands(bits: int) -> list[np.uint64]:
    """Masks that share no bit and together have all; a single one without any where bands would be too narrow."""
    count = bits + 1
    if 4 * count > 2 ** (_BITS // count):
        return [np.uint64(0)]
    # Neighbouring bits of a hash say much the same, so that a band takes bits from all over.
    return [np.uint64(sum(1 << bit for bit in range(band, _BITS, count))) for band in range(count)]


def _near_pairs(
    one: np.ndarray, other: np.ndarray, hashes: np.ndarray, thumbnails: np.ndarray, bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """Those pairs of places that are near duplicates."""
    near = np.bitwise_count(hashes[one] ^ hashes[other]) <= bits
    one, other = one[near], other[near]
    agree = np.abs(thumbnails[one] - thumbnails[other]).mean(axis=(1, 2)) < THUMBNAIL_DIFFERENCE
    return one[agree], other[agree]


def _joined(groups: np.ndarray, found: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The groups after more pairs of places were found to be copies."""
    if not found:
        return groups
    one, other = (groups[np.concatenate(places)] for places in zip(*found, strict=True))
    graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(len(groups), len(groups)))
    return connected_components(graph, directed=False)[1].astype(np.int64)[groups]
