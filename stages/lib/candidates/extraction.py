"""The features of images that a candidate gives."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from stages.lib.core.params import Precision
from stages.lib.core.progress import counted
from stages.lib.images.decode import stream
from stages.lib.images.resizing import Resizing
from stages.lib.inference.forward import compiled
from stages.lib.networks.build import feature_extractor
from stages.lib.networks.precision import Step


def forward(preset: Path, pixels: int, batch_size: int, precision: Precision) -> Callable[[np.ndarray], np.ndarray]:
    """A function that takes uint8 (at most `batch_size`, pixels, pixels, 3) and gives float32 (images, channels).

    Args:
        preset: directory of a preset.
        pixels: height and width of the images.
        batch_size: the most images that are computed at once.
        precision: in which the backbone computes.
    """
    return compiled(feature_extractor(preset, pixels, precision), batch_size)


def parts(
    run: Callable[[np.ndarray], np.ndarray], paths: Sequence[Path], pixels: int, batch_size: int, resizing: Resizing
) -> Iterator[np.ndarray]:
    """Features of images, float32 (batch, channels), one batch after the other.

    Args:
        run: as `forward` gives it.
        paths: files of the images.
        pixels: height and width that they get.
        batch_size: images per forward pass.
        resizing: how they become squares.

    Raises:
        BrokenImage: a file cannot be decoded; its name comes first.
    """
    batches = stream(paths, pixels, "rgb", batch_size, resizing=resizing)
    return counted(map(run, batches), "features", -(-len(paths) // batch_size))


def step_in(preset: Path, pixels: int, batch_size: int, precision: Precision) -> Step:
    """A function that computes the features of one batch in a precision."""
    run, images = forward(preset, pixels, batch_size, precision), blank(pixels, batch_size)
    return lambda: run(images)


def blank(pixels: int, batch_size: int) -> np.ndarray:
    """A batch to measure time on: uint8 (batch_size, pixels, pixels, 3)."""
    return np.random.default_rng(0).integers(0, 256, (batch_size, pixels, pixels, 3), np.uint8)
