"""The trained model that is exported."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.lib.images.decode import stream
from stages.lib.images.resizing import Resizing
from stages.lib.networks import saved_model
from stages.lib.networks.precision import rebuilt

BATCH = 16  # images


class Source:
    """A trained model as its stage saved it, and as it is exported.

    Attributes:
        trained: in the precision that it was measured in.
        exact: the same in float32, which is what is converted.
        mixed: whether the two differ.
        classes, size, color, resizing: what it takes and gives.
    """

    def __init__(self, file: Path, precision: str) -> None:
        """Load a `model.keras`, which computes in a precision.

        Raises:
            UserError: as of `saved_model.load`.
        """
        model, self.classes = saved_model.load(file)
        self.size, self.color = saved_model.input_of(model)
        self.resizing: Resizing = saved_model.resizing_of(file)
        self.trained = model
        self.mixed = precision != "float32"
        self.exact = rebuilt(model, "float32") if self.mixed else model

    def pixels(self, paths: Sequence[Path]) -> Any:
        """Batches of images, uint8 (images, size, size, channels), read as in training."""
        return stream(paths, self.size, self.color, BATCH, resizing=self.resizing)
