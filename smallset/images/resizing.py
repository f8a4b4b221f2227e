"""How an image gets the size of a model's input, the same in training, evaluation and prediction."""

from dataclasses import dataclass
from typing import Any

from smallset.images.choices import Interpolation, ResizeMode


@dataclass(frozen=True)
class Resizing:
    """How images become squares; `smallset.images.decode.resized` does it.

    Attributes:
        mode: "stretch" keeps the whole image and not its aspect ratio, "crop" the square in its middle, "pad" the whole
            image with black beside it.
        interpolation: as Keras names them; antialiased wherever an image gets smaller.
    """

    mode: ResizeMode
    interpolation: Interpolation

    def as_dict(self) -> dict[str, str]:
        """What a saved model and cached features remember; `remembered` reads it."""
        return {"resize": self.mode, "interpolation": self.interpolation}


# What models and features mean that remember nothing.
STRETCH = Resizing("stretch", "bilinear")


def remembered(about: dict[str, Any]) -> Resizing:
    """What was written of `Resizing.as_dict`, among other things or not at all."""
    return Resizing(about.get("resize", STRETCH.mode), about.get("interpolation", STRETCH.interpolation))
