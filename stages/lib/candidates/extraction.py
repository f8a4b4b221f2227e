"""The features of images that a candidate gives."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stages.lib.arrays import feature_files
from stages.lib.core.model_sections import FeaturesParams
from stages.lib.core.params import Precision
from stages.lib.core.progress import counted
from stages.lib.images.decode import stream
from stages.lib.images.manifest import Subset, SubsetName
from stages.lib.images.resizing import Resizing
from stages.lib.inference.forward import compiled
from stages.lib.networks.build import feature_extractor
from stages.lib.networks.precision import Step

_PART = 2048  # images


def forward(preset: Path, pixels: int, batch_size: int, precision: Precision) -> Callable[[np.ndarray], np.ndarray]:
    """A function that takes uint8 (at most `batch_size`, pixels, pixels, 3) and gives float32 (images, channels).

    Args:
        preset: directory of a preset.
        pixels: height and width of the images.
        batch_size: the most images that are computed at once.
        precision: in which the backbone computes.
    """
    return compiled(feature_extractor(preset, pixels, precision), batch_size)


def views(
    run: Callable[[np.ndarray], np.ndarray],
    pixels: int,
    params: FeaturesParams,
    resizing: Resizing,
    paths: Sequence[Path],
) -> np.ndarray:
    """Features of some images and, where they are asked for, of their mirror images: float32 (images, views, channels).

    Args:
        run: as `forward` gives it.
        pixels: height and width that the images get.
        params: section `features` of params.yaml.
        resizing: how the images become squares.
        paths: files of the images.

    Raises:
        BrokenImage: a file cannot be decoded; its name comes first.
    """
    turned = (1, -1)[: 1 + params.mirror]
    batches = stream(paths, pixels, "rgb", params.batch_size, resizing=resizing)
    return np.concatenate([np.stack([run(batch[:, :, ::step]) for step in turned], axis=1) for batch in batches])


def write(
    folder: Path,
    subset: SubsetName,
    images: Subset,
    channels: int,
    views_of: Callable[[Sequence[Path]], np.ndarray],
    mirror: bool,
) -> None:
    """Write the features of a subset as the stage `features` does.

    Args:
        folder: exists.
        subset: its name.
        images: the images of the subset.
        channels: size of a feature vector.
        views_of: gives float32 (images, views, channels) of some images, as `views` does.
        mirror: whether there are two views.
    """
    # Kept in files meanwhile: the mirrored ones are written after all others, and need not fit into memory.
    with TemporaryDirectory(dir=folder) as parts:
        again = partial(feature_files.in_parts, Path(parts), subset, images.paths, _PART, views_of)
        shown = counted(again(), f"features of {subset}", -(-len(images.paths) // _PART))
        vectors = (part[:, 0] for part in shown)
        mirrored = (part[:, 1] for part in again()) if mirror else None
        feature_files.write(folder, subset, images, channels, vectors, mirrored)


def step_in(preset: Path, pixels: int, batch_size: int, precision: Precision) -> Step:
    """A function that computes the features of one batch in a precision."""
    run, images = forward(preset, pixels, batch_size, precision), blank(pixels, batch_size)
    return lambda: run(images)


def blank(pixels: int, batch_size: int) -> np.ndarray:
    """A batch to measure time on: uint8 (batch_size, pixels, pixels, 3)."""
    return np.random.default_rng(0).integers(0, 256, (batch_size, pixels, pixels, 3), np.uint8)
