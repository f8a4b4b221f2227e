"""Strangers' images batch by batch, decoded in processes of their own: for a model's predictions."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from smallset.images.files import BrokenImage
from stages.lib.core.choices import Color
from stages.lib.decoding.processes import answers
from stages.lib.images.decode import CHANNELS
from stages.lib.images.resizing import Resizing


def stream(
    paths: Sequence[Path],
    size: int,
    color: Color,
    batch_size: int,
    broken: dict[Path, str],
    *,
    resizing: Resizing,
) -> Iterator[np.ndarray]:
    """The same as `stages.lib.images.decode.stream`, of files that nobody has looked at yet.

    Args:
        broken: takes the files that cannot be decoded, and why; they are left out.

    Yields:
        uint8 (batch, size, size, channels) in [0, 255], in the order of `paths`; the last batch may be smaller.
    """
    asked = {"do": "decode", "size": size, "color": color, "resizing": resizing.as_dict()}
    batch: list[np.ndarray] = []
    for path, found in zip(paths, answers([asked | {"path": str(path)} for path in paths]), strict=True):
        if isinstance(found, BrokenImage):
            broken[path] = str(found)
            continue
        batch.append(np.frombuffer(found[1], np.uint8).reshape(size, size, CHANNELS[color]))
        if len(batch) == batch_size:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
