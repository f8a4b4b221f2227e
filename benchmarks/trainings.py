"""Training on images, as the stages do it and as plain Keras does it: two sides for `benchmarks.sides`."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.sides import timed
from stages.lib.core.params import AskedPrecision, AugmentationParams, ImageTrainingParams, Precision

if TYPE_CHECKING:
    import keras
    import numpy as np

    from stages.lib.arrays.rows import Array

VARIATION = AugmentationParams(flip=True, rotation=0.1, zoom=0.2)


@dataclass(frozen=True)
class Work:
    """What both sides do.

    images: folder with train/<class>/<file> and validation/<class>/<file>. image_size: pixels.
    """

    images: Path
    image_size: int
    batch_size: int
    augmented: bool
    learning_rate: float


class Plain:
    """`image_dataset_from_directory`, Keras's augmentation layers and `fit`, as Keras's guides have it."""

    def __init__(self, work: Work, model: "keras.Model") -> None:
        """Take a compiled model that takes images in [0, 255]."""
        import keras
        import tensorflow as tf
        from keras import layers

        def read(subset: str) -> "tf.data.Dataset":
            size = (work.image_size, work.image_size)
            folder = work.images / subset
            return keras.utils.image_dataset_from_directory(
                folder, image_size=size, batch_size=work.batch_size, verbose=False
            )

        varied = keras.Sequential(
            [
                layers.RandomFlip("horizontal"),
                layers.RandomRotation(VARIATION.rotation),
                layers.RandomZoom(VARIATION.zoom),
            ]
        )
        self.model, train = model, read("train")
        if work.augmented:
            train = train.map(lambda x, y: (varied(x, training=True), y), num_parallel_calls=tf.data.AUTOTUNE)
        self.train = train.prefetch(tf.data.AUTOTUNE)
        self.validation = read("validation").prefetch(tf.data.AUTOTUNE)

    def turn(self) -> dict[str, float]:
        """One epoch."""
        return {
            "training": timed(lambda: self.model.fit(self.train, shuffle=False, verbose=0)),
            "validation": timed(lambda: self.model.evaluate(self.validation, verbose=0)),
        }

    def about(self) -> dict[str, Any]:
        """Precision, and the share of the time that training waits for images."""
        return {"in": "float32", "waits": waiting(self.model, self.train)}


class Ours:
    """The training of the stages, with the precision that they choose."""

    def __init__(
        self,
        work: Work,
        build: "Callable[[Precision], keras.Model]",
        asked: AskedPrecision,
        head_only: bool = False,
    ) -> None:
        """Take what builds the network in a precision; `head_only` measures its head on cached features."""
        import numpy as np

        from stages.lib.arrays.decoded import decode_all
        from stages.lib.images.resizing import STRETCH
        from stages.lib.networks import build as networks
        from stages.lib.training import loop
        from stages.lib.training.image_training import fitting_precision, trained_view

        self.work = work
        self.params = ImageTrainingParams(
            enabled=True,
            epochs=1,
            learning_rate=work.learning_rate,
            schedule="constant",
            min_steps=None,
            early_stopping=None,
            class_weights=None,
            mirror=False,
            augmentation=VARIATION if work.augmented else None,
            precision=asked,
        )
        self.precision = fitting_precision("benchmark", build, self.params, work.batch_size)
        network = build(self.precision)

        def read(subset: str) -> "tuple[Array, np.ndarray]":
            files = sorted((work.images / subset).glob("*/*"))
            classes = sorted({file.parent.name for file in files})
            labels = np.array([classes.index(file.parent.name) for file in files], np.int64)
            return decode_all(files, work.image_size, "rgb", work.images / f"{subset}.npy", STRETCH), labels

        start = time.perf_counter()
        self.train, (held_out, labels) = read("train"), read("validation")
        self.decoding = time.perf_counter() - start
        self.model = trained_view(network, self.precision, work.batch_size, self.train[0])
        loop.compile_for(self.model, self.params, 1)
        measured = networks.head_of(network) if head_only else self.model
        inputs = np.zeros((len(labels), *measured.input_shape[1:]), np.float32) if head_only else held_out
        self.measure = loop.validate_on(measured, inputs, labels, work.batch_size)
        self.epoch = 0

    def turn(self) -> dict[str, float]:
        """One epoch."""
        from stages.lib.training import batches

        self.epoch += 1
        train, per_epoch = self._batches(self.epoch), batches.steps(len(self.train[0]), self.work.batch_size)
        return {
            "training": timed(lambda: self.model.fit(train, steps_per_epoch=per_epoch, shuffle=False, verbose=0)),
            "validation": timed(self.measure),
        }

    def about(self) -> dict[str, Any]:
        """Precision, the share of the time that training waits for images, seconds that decoding took, once."""
        waits = waiting(self.model, self._batches(0))
        return {"in": self.precision, "waits": waits, "decoding, once": f"{self.decoding:.2f} s"}

    def _batches(self, epoch: int) -> Any:
        from stages.lib.training.batches import training_batches

        epochs = range(epoch, epoch + 1)
        return training_batches(*self.train, self.work.batch_size, 0, epochs, self.params.augmentation)


def waiting(model: "keras.Model", batches: Iterable[Any]) -> str:
    """Share of the time in which training waits for its next batch, in percent; the first is not counted."""
    iterator = iter(batches)
    model.train_on_batch(*next(iterator))
    waited, start = 0.0, time.perf_counter()
    while True:
        asked = time.perf_counter()
        batch = next(iterator, None)
        waited += time.perf_counter() - asked
        if batch is None:
            return f"{100 * waited / (time.perf_counter() - start):.1f} %"
        model.train_on_batch(*batch)
