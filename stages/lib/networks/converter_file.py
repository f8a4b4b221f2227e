"""The image converter of a preset directory."""

import json
from pathlib import Path

import keras
import keras_hub

from stages.lib.core.errors import UserError
from stages.lib.networks import model_files

FILE = model_files.CONVERTER


def read(preset: Path) -> keras_hub.layers.ImageConverter:
    """The image converter of a preset directory that `model_files.check_preset` has looked at.

    KerasHub's own way looks for a class that belongs to the backbone, and there is none for a backbone that was taken
    out of another network; the file says itself of which class it is.

    Raises:
        UserError: it is of a class that is none.
    """
    found = keras.saving.deserialize_keras_object(json.loads((preset / FILE).read_text(encoding="utf-8")))
    if not isinstance(found, keras_hub.layers.ImageConverter):
        raise UserError(f"{preset / FILE}: expected an image converter, found {type(found).__name__}")
    return found
