"""Pictures that no archive holds: drawn animals, and the handwritten digits of Keras's own loader."""

import io
from collections.abc import Iterator
from functools import partial

import numpy as np
from PIL import Image

from stages.lib.sources.archives import Member, in_memory
from stages.lib.core.errors import TemporaryError
from stages.lib.networks.startup import start_tensorflow


def drawn(per_class: int, seed: int) -> Iterator[Member]:
    """Drawn animals as `train/<animal>.<number>.jpg`, each drawn when it is read."""
    from stages.lib.drawing.sample import TASK_ANIMALS

    for animal in TASK_ANIMALS:
        for index in range(per_class):
            yield in_memory(f"train/{animal}.{index}.jpg", partial(_drawing, animal, index, seed))


def digits() -> Iterator[Member]:
    """60,000 digits as `train/<class>/<number>.png` and 10,000 as `test/...`, grey, 28 x 28 pixels.

    Raises:
        UserError: they are not on this machine and cannot be fetched.
    """
    start_tensorflow()
    import keras

    try:
        subsets = keras.datasets.mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception when it cannot download.
        raise TemporaryError(
            f"digits: cannot be fetched ({' '.join(str(error).split())}); get mnist.npz from "
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz on another machine "
            "and put it into ~/.keras/datasets"
        ) from None
    for subset, (pictures, labels) in zip(("train", "test"), subsets, strict=True):
        for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
            yield in_memory(f"{subset}/{label}/{index}.png", partial(_png, picture))


def _drawing(animal: str, index: int, seed: int) -> bytes:
    from stages.lib.drawing.sample import draw, jpeg

    return jpeg(draw(animal, index, seed))


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
