"""All images of a subset decoded once: in memory while they fit a budget, else in a file."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from smallset.images.choices import Color
from stages.lib.arrays import rows
from stages.lib.arrays.rows import Array, Rows
from stages.lib.core.outputs import atomic_file
from stages.lib.images.decode import CHANNELS, DECODING_THREADS, decode_named
from stages.lib.images.resizing import Resizing

_CHUNK = 256


def decode_all(paths: Sequence[Path], size: int, color: Color, overflow: Path, resizing: Resizing) -> Array:
    """Decode many images once, side by side, into one array that lies in memory or, past a budget, in a file.

    Args:
        paths: files of the images.
        size: height and width in pixels that they get.
        color: rgb or grey: 3 channels or 1.
        overflow: the file that takes the array when it is larger than `rows.MEMORY_BUDGET`; where it exists, it is
            taken for the array of the same images.
        resizing: how they get their size.

    Returns:
        uint8 (images, size, size, channels) in [0, 255], in the order of `paths`.

    Raises:
        BrokenImage: one of the files cannot be decoded; its name comes first.
    """
    shape = (len(paths), size, size, CHANNELS[color])
    if np.prod(shape, dtype=np.int64) <= rows.MEMORY_BUDGET:
        images, start = np.empty(shape, np.uint8), 0
        for chunk in _chunks(paths, size, color, resizing):
            images[start : start + len(chunk)] = chunk
            start += len(chunk)
        return images
    if not overflow.is_file():
        with atomic_file(overflow) as partial_file:
            rows.write_rows(partial_file, shape, np.uint8, map(np.stack, _chunks(paths, size, color, resizing)))
    return Rows(overflow)


def _chunks(paths: Sequence[Path], size: int, color: Color, resizing: Resizing) -> Iterator[list[np.ndarray]]:
    decode_one = partial(decode_named, size=size, color=color, resizing=resizing)
    with ThreadPoolExecutor(DECODING_THREADS) as pool:
        for start in range(0, len(paths), _CHUNK):
            yield list(pool.map(decode_one, paths[start : start + _CHUNK]))
