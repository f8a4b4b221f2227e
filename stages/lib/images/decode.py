"""Many images for the pipeline, batch by batch; each is read by `smallset.images`, which predictions use too."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from smallset.images.broken import BrokenImage
from smallset.images.choices import Color
from smallset.images.decode import CHANNELS, DECODING_THREADS, decode, resized, size_of, upright
from smallset.images.resizing import Resizing

# The reader under the name by which stages know it.
__all__ = [
    "BrokenImage",
    "CHANNELS",
    "DECODING_THREADS",
    "decode",
    "decode_named",
    "resized",
    "size_of",
    "stream",
    "upright",
]


def stream(
    paths: Sequence[Path],
    size: int,
    color: Color,
    batch_size: int,
    broken: dict[Path, str] | None = None,
    *,
    resizing: Resizing,
) -> Iterator[np.ndarray]:
    """Decode images batch by batch, one batch ahead of the one in use; memory does not grow with their number.

    Args:
        paths: files of the images.
        size: height and width in pixels that they get.
        color: rgb or grey: 3 channels or 1.
        batch_size: images of a batch.
        broken: takes the files that cannot be decoded, and why; they are left out. None: one is an error.
        resizing: how they get their size.

    Yields:
        uint8 (batch, size, size, channels) in [0, 255], in the order of `paths`; some batches may be smaller.

    Raises:
        BrokenImage: one of the files cannot be decoded; its name comes first.
    """
    read = decode_named if broken is None else decode

    def submit(start: int) -> list[tuple[Path, Future[np.ndarray]]]:
        chunk = paths[start : start + batch_size]
        return [(path, pool.submit(read, path, size, color, resizing)) for path in chunk]

    with ThreadPoolExecutor(DECODING_THREADS) as pool:
        coming = submit(0)
        for start in range(0, len(paths), batch_size):
            batch, coming = coming, submit(start + batch_size)
            images = []
            for path, image in batch:
                try:
                    images.append(image.result())
                except BrokenImage as error:
                    if broken is None:
                        raise
                    broken[path] = str(error)
            if images:
                yield np.stack(images)


def decode_named(path: Path, size: int, color: Color, resizing: Resizing) -> np.ndarray:
    """`decode`, whose error names the file."""
    try:
        return decode(path, size, color, resizing)
    except BrokenImage as error:
        raise BrokenImage(f"{path}: {error}") from None
