"""How an image gets the size of a model's input, the same in training, evaluation and prediction."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from stages.lib.core.choices import Interpolation, ResizeMode
from stages.lib.core.errors import UserError

if TYPE_CHECKING:
    from stages.lib.core.params import CommonParams


@dataclass(frozen=True)
class Resizing:
    """How images become squares; `stages.lib.images.decode.resized` does it.

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


def asked(common: "CommonParams", preset: Path | None = None) -> Resizing:
    """What the parameters ask for.

    Args:
        preset: directory of a KerasHub preset, whose image converter decides what the parameters leave to it; None for
            a model without one, for which it is `STRETCH`.

    Raises:
        UserError: the preset resizes in a way that is not known here.
    """
    mode: Any = common.resize
    interpolation: Any = common.interpolation
    if "preset" in (mode, interpolation):
        own = STRETCH if preset is None else _of_preset(preset)
        mode = own.mode if mode == "preset" else mode
        interpolation = own.interpolation if interpolation == "preset" else interpolation
    if interpolation not in get_args(Interpolation):
        known = ", ".join(get_args(Interpolation))
        raise UserError(
            f"common.interpolation: expected one of {known}. Received: {interpolation!r}, which {preset} has"
        )
    return Resizing(mode, interpolation)


def _of_preset(preset: Path) -> Resizing:
    config = json.loads((preset / "image_converter.json").read_text(encoding="utf-8"))["config"]
    interpolation = config.get("interpolation", "bilinear")
    if config.get("pad_to_aspect_ratio", False):
        return Resizing("pad", interpolation)
    # KerasHub crops where a preset says nothing.
    return Resizing("crop" if config.get("crop_to_aspect_ratio", True) else "stretch", interpolation)
