"""A classifier as a person uses it: images in, predictions out."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np

from smallset.errors import UserError
from smallset.images.broken import BrokenImage
from smallset.images.decode import CHANNELS, DECODING_THREADS
from smallset.inference import bundle, given, golden
from smallset.inference.decisions import Decisions
from smallset.inference.given import Image
from smallset.inference.results import Prediction, Predictions, of_probabilities
from smallset.inference.runtime import Runtime
from smallset.outputs import all_classes

_BATCH = 16  # images that are in memory at once; more at once are no faster
_ROUNDING = 0.02  # of a sum of probabilities


class Classifier:
    """A trained classifier from its bundle.

    Attributes:
        directory: of the bundle.
        description: what its `classifier.json` says.
    """

    def __init__(self, source: str | Path) -> None:
        """Read the description of a bundle; `smallset.load` is the same.

        Raises:
            UserError: no bundle there, a damaged one, or one of a newer version.
        """
        self.directory = bundle.find(source)
        self._home = self.directory.absolute()  # wherever the program goes before the model is loaded
        self.description = bundle.read(self.directory)

    def __getstate__(self) -> dict[str, object]:
        """What another process gets, which loads the model itself."""
        return {name: value for name, value in vars(self).items() if name != "_runtime"}

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.description.classes

    def predict(self, images: Image | Iterable[Image], broken: dict[int, str] | None = None) -> Predictions:
        """Classify images.

        Args:
            images: one image or several: a path, the bytes of a file, an image of Pillow, or its pixels uint8 (height,
                width), or (height, width, channels) with 1, 3 or 4 channels.
            broken: takes the place, from 0, of each image that cannot be read, and why; it is left out. None: one is an
                error.

        Returns:
            A prediction per image, in their order; one image is a list of one.

        Raises:
            BrokenImage: an image cannot be read; its path or place comes first.
            UserError: the bundle's model is missing or damaged.
        """
        return Predictions(self.stream(given.several(images), broken))

    def stream(self, images: Iterable[Image], broken: dict[int, str] | None = None) -> Iterator[Prediction]:
        """The same, one after the other, of any number of images: memory does not grow with it."""
        with ThreadPoolExecutor(DECODING_THREADS) as pool:
            yield from self.classified(self._read_ahead(images, pool), broken)

    def classified(
        self, read: Iterable[tuple[str | None, np.ndarray | BrokenImage]], broken: dict[int, str] | None = None
    ) -> Iterator[Prediction]:
        """The same of images that are read already, such as by `smallset.decoding.reading.read`.

        Args:
            read: of each image its path, if it has one, and its pixels as `read` gives them, or why there are none.
            broken: as in `predict`.
        """
        waiting: list[tuple[int, str | None, np.ndarray]] = []
        for index, (path, pixels) in enumerate(read):
            if isinstance(pixels, np.ndarray):
                waiting.append((index, path, pixels))
            else:
                reason = f"{path or f'image {index}'}: {pixels}"
                if broken is None:
                    raise BrokenImage(reason)
                broken[index] = reason
            if len(waiting) == _BATCH:
                yield from self._predictions(waiting)
                waiting = []
        if waiting:
            yield from self._predictions(waiting)

    def read(self, image: Image) -> np.ndarray:
        """One image as the model takes it.

        Returns:
            uint8 (size, size, channels) in [0, 255].

        Raises:
            BrokenImage: it cannot be read.
        """
        return given.read(image, self.description.image_size, self.description.color, self.description.resizing)

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Probabilities of images that `read` gave.

        Args:
            pixels: (images, size, size, channels) in [0, 255].

        Returns:
            float64 (images, classes).

        Raises:
            UserError: the model is missing or damaged, or not the one that the bundle describes.
        """
        return self.judged(pixels)[0]

    def judged(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The same, and how far the images are from the training images.

        Args:
            pixels: (images, size, size, channels) in [0, 255].

        Returns:
            float64 (images, classes), and float64 (images,); None of a bundle whose model gives no distance.

        Raises:
            UserError: as `probabilities`.
        """
        outputs, distances = self._runtime.run(pixels).astype(np.float64), None
        if self.description.gives_distance and outputs.ndim == 2:
            outputs, distances = outputs[:, :-1], outputs[:, -1]
        return self._checked(all_classes(outputs) if outputs.ndim == 2 else outputs, len(pixels)), distances

    def _checked(self, found: np.ndarray, images: int) -> np.ndarray:
        if found.shape != (images, len(self.classes)):
            raise UserError(
                f"{self.directory}: expected probabilities of {len(self.classes)} classes, found {found.shape}"
            )
        # Of two classes the second is 1 minus the first, so the sum alone says nothing.
        if not ((found >= -_ROUNDING).all() and np.allclose(found.sum(axis=1), 1, atol=_ROUNDING)):
            raise UserError(f"{self.directory}: expected probabilities that add up to 1, found others")
        return found

    def prepare(self) -> None:
        """Load the model now rather than with the first image, and compute once.

        Raises:
            UserError: it is missing or damaged.
        """
        size = self.description.image_size
        self.probabilities(np.zeros((1, size, size, CHANNELS[self.description.color]), np.uint8))

    def verify(self) -> float:
        """Try the golden examples of the bundle: whether images are read and judged here as where it was made.

        Returns:
            The largest difference of a probability.

        Raises:
            UserError: an example is read to other pixels, a probability or the distance differs by more than rounding
                explains, or the rules make another class or decision of the numbers.
        """
        folder = self._home / bundle.GOLDEN
        return golden.largest_difference(folder, self.description, self.read, self.judged)

    @cached_property
    def _runtime(self) -> Runtime:
        return Runtime(bundle.model_of(self._home, self.description))

    def _predictions(self, images: list[tuple[int, str | None, np.ndarray]]) -> Iterator[Prediction]:
        values, distances = self.judged(np.stack([pixels for *_, pixels in images]))
        known = self.description.decisions
        rule = known or Decisions()
        decided, places = rule.decided(values, distances), rule.predicted(values)
        for row, (index, path, _) in enumerate(images):
            yield of_probabilities(
                *(self.classes, values[row].tolist(), index, path),
                place=int(places[row]),
                decision=decided[row] if known else None,
                distance=None if distances is None else float(distances[row]),
            )

    def _read_ahead(
        self, images: Iterable[Image], pool: ThreadPoolExecutor
    ) -> Iterator[tuple[str | None, np.ndarray | BrokenImage]]:
        # Who makes them one after the other may make each in the place of the last, as a video or an animation does.
        may_change = not isinstance(images, list | tuple)
        waiting = iter(images)
        while chunk := [
            (given.name_of(image), self._begun(image, pool, may_change)) for image in islice(waiting, _BATCH)
        ]:
            yield from ((name, begun.result()) for name, begun in chunk)

    def _begun(self, image: Image, pool: ThreadPoolExecutor, may_change: bool) -> Future[np.ndarray | BrokenImage]:
        begun = pool.submit(self._read_or_reason, image)
        if may_change and not given.stays(image):
            wait([begun])
        return begun

    def _read_or_reason(self, image: Image) -> np.ndarray | BrokenImage:
        try:
            return self.read(image)
        except BrokenImage as error:
            return error
