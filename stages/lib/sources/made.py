"""Images that no archive of files holds: drawn animals, and the handwritten digits that Keras offers as arrays."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from safety.checksums import checksum
from stages.lib.core.errors import UserError, retold
from stages.lib.sources import url
from stages.lib.sources.limits import Limits
from stages.lib.sources.member import Member, in_memory

# As `keras.datasets.mnist` has them; the file is read without Keras, which takes seconds to import.
ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
KEPT = "~/.keras/datasets/mnist.npz"


def drawn(per_class: int, seed: int) -> Iterator[Member]:
    """Drawn animals as `train/<animal>.<number>.jpg`, each drawn when it is read."""
    from stages.lib.drawing.sample import TASK_ANIMALS

    for animal in TASK_ANIMALS:
        for index in range(per_class):
            yield in_memory(f"train/{animal}.{index}.jpg", partial(_drawing, animal, index, seed))


def digits(limits: Limits) -> Iterator[Member]:
    """60,000 digits as `train/<class>/<number>.png` and 10,000 as `test/...`, grey, 28 x 28 pixels.

    Raises:
        UserError: they are not on this machine and cannot be fetched, or another file is in their place.
    """
    with _digits(limits) as file, np.load(file, allow_pickle=False) as arrays:
        for subset in ("train", "test"):
            for index, (image, label) in enumerate(zip(arrays[f"x_{subset}"], arrays[f"y_{subset}"], strict=True)):
                yield in_memory(f"{subset}/{label}/{index}.png", partial(_png, image))


@contextmanager
def _digits(limits: Limits) -> Iterator[Path]:
    """The file of the digits: the one that Keras or a person has put on this machine, else fetched for now."""
    kept = Path(KEPT).expanduser()
    if kept.is_file():
        if checksum(kept) != SHA256:
            raise UserError(f"{kept}: expected the file of {ADDRESS}, found another one; delete it")
        yield kept
        return
    try:
        fetched = url.fetch(ADDRESS, SHA256, limits)
    except UserError as error:
        raise retold(
            error,
            f"digits: cannot be fetched ({error}); get {ADDRESS} on another machine and put it into {kept.parent}",
        ) from None
    yield fetched
    url.forget(fetched)


def _drawing(animal: str, index: int, seed: int) -> bytes:
    from stages.lib.drawing.sample import draw, jpeg

    return jpeg(draw(animal, index, seed))


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
