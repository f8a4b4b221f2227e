"""A model run over batches of images as one compiled function."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from smallset.outputs import all_classes
from stages.lib.images.decode import stream
from stages.lib.images.resizing import Resizing
from stages.lib.networks.fusion import Forward, faithful
from stages.lib.networks.saved_model import input_of


def compiled(model: keras.Model, batch_size: int) -> Callable[[np.ndarray], np.ndarray]:
    """The model without training as one compiled function, tried on the first images that it gets (`faithful`).

    It takes images uint8 (at most `batch_size`, height, width, channels) in [0, 255] and gives float32, the model's
    output for each.

    Args:
        model: takes images; stays as it is.
        batch_size: the most images that are computed at once.
    """
    found: list[Forward] = []

    def run(batch: np.ndarray) -> np.ndarray:
        if batch.dtype != np.uint8:  # TensorFlow would cut off fractions without a word.
            raise TypeError(f"expected pixels uint8. Received: {batch.dtype}")
        missing = batch_size - len(batch)
        filled = np.pad(batch, [(0, missing), (0, 0), (0, 0), (0, 0)], mode="edge") if missing else batch
        if not found:
            found.append(faithful(model, filled)[1])
        return found[0](filled).numpy()[: len(batch)]

    return run


def probabilities(
    model: keras.Model,
    paths: Sequence[Path],
    batch_size: int,
    *,
    resizing: Resizing,
    seconds: list[float] | None = None,
) -> np.ndarray:
    """Probability of each class for each image, read as in training.

    Args:
        model: as `saved_model.load` gives it.
        paths: files of the images.
        batch_size: images per forward pass.
        resizing: that of the model's training (`saved_model.resizing_of`).
        seconds: takes the time that an image takes in a whole batch, without reading it; None: it is not measured.

    Returns:
        float64 (images, classes); a model with one sigmoid unit gives two columns.

    Raises:
        BrokenImage: one of the files cannot be decoded; its name comes first.

    Example:
        >>> from stages.lib.networks.saved_model import load, resizing_of
        >>> file = Path("models/scratch/model.keras")
        >>> model, classes = load(file)
        >>> paths = [Path("data/dataset/test/cat/0.png"), Path("data/dataset/test/dog/0.png")]
        >>> probabilities(model, paths, batch_size=64, resizing=resizing_of(file)).shape
        (2, 2)
    """
    image_size, color = input_of(model)
    # No batch is filled up beyond all images.
    batch_size = max(1, min(batch_size, len(paths)))
    batches = stream(paths, image_size, color, batch_size, resizing=resizing)
    none = np.empty((0, model.output_shape[-1]), np.float32)
    run, found, batch = compiled(model, batch_size), [none], None
    for batch in batches:
        found.append(run(batch))
    if seconds is not None and batch is not None:
        seconds.append(_seconds(run, batch) / batch_size)
    return all_classes(np.concatenate(found).astype(np.float64))


def _seconds(run: Callable[[np.ndarray], np.ndarray], batch: np.ndarray) -> float:
    """Time of a batch whose like was computed before; the shorter of two, since other programs only add to it."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        run(batch)
        times.append(time.perf_counter() - start)
    return min(times)
