"""How the parameters ask images to be resized; `smallset.images.resizing` says what that means."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from smallset.images.choices import Interpolation
from smallset.images.resizing import STRETCH, Resizing, remembered
from stages.lib.core.errors import UserError

if TYPE_CHECKING:
    from stages.lib.core.params import CommonParams

__all__ = ["Resizing", "STRETCH", "asked", "remembered"]


def asked(common: "CommonParams", preset: Path | None = None) -> Resizing:
    """What the parameters ask for.

    Args:
        common: section `common` of params.yaml.
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
