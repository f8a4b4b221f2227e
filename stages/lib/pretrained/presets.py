"""KerasHub presets: loaded from wherever they are, saved as a directory that is the same every time."""

import json
from pathlib import Path

import huggingface_hub
import keras_hub
import requests
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

from safety.words import first_line
from stages.lib.core.errors import UserError
from stages.lib.networks import converter_file, model_files
from stages.lib.networks.tokens import image_shape
from stages.lib.pretrained.encoders import check_name, image_encoder
from stages.lib.pretrained.sizes import resized

Preset = tuple[keras_hub.models.Backbone, keras_hub.layers.ImageConverter]

_OFFLINE = "a local preset directory works offline"
_KAGGLE = "set KAGGLE_API_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY, and accept the model's terms on kaggle.com"
_HUGGING_FACE = "set HF_TOKEN, and accept the model's terms on huggingface.co"


def load(name: str, weights: bool = True) -> Preset:
    """Load backbone and image converter of a preset; of a network that holds a backbone, that one.

    Args:
        name: a directory, a name that KerasHub knows, or a handle (kaggle://..., hf://...).
        weights: False leaves those of the backbone random, and does not fetch them.

    Raises:
        UserError: no such preset, it is incomplete or not for images, or it cannot be fetched.
    """
    if Path(name).is_dir():
        model_files.require_preset(Path(name))
    try:
        check_name(name)
        return _load(name, weights)
    except UserError as error:
        raise UserError(f"{error}. Received: {name!r}") from None


def _load(name: str, weights: bool) -> Preset:
    try:
        if name.startswith("hf://"):
            # KerasHub takes an unreachable site for an empty preset; this says which it is.
            huggingface_hub.hf_hub_download(name.removeprefix("hf://"), "config.json")
        backbone = keras_hub.models.Backbone.from_preset(name, load_weights=weights)
        local = Path(name).is_dir()
        converter = converter_file.read(Path(name)) if local else keras_hub.layers.ImageConverter.from_preset(name)
    except Exception as error:  # KerasHub lets through whatever its many sources and formats raise.
        raise UserError(f"backbone.preset: {_explain(name, error)}") from error
    return image_encoder(backbone), converter


def size_of(preset: Preset) -> int | None:
    """Height and width in pixels of the images that a preset is made for; None where it does not say."""
    backbone, converter = preset
    sizes = (converter.image_size, image_shape(backbone))
    return next((size[0] for size in sizes if size is not None and size[0] is not None and size[0] == size[1]), None)


def input_size(preset: Preset, asked: int | None) -> int:
    """Height and width in pixels of a backbone's input.

    Args:
        preset: backbone and image converter.
        asked: pixels; None takes those that the preset is made for.

    Raises:
        UserError: the preset says none.
    """
    size = size_of(preset) if asked is None else asked
    if size is None:
        raise UserError("common.image_size: expected pixels, since the preset does not say its own. Received: 'preset'")
    return size


def for_size(preset: Preset, size: int) -> Preset:
    """The preset with its backbone built for images of a size in pixels (`resized`).

    Raises:
        UserError: it cannot be built for this size.
    """
    backbone, converter = preset
    return resized(backbone, size), converter


def save(preset: Preset, directory: Path) -> None:
    """Save backbone and image converter to an existing directory; `load` reads it back.

    Args:
        preset: backbone and image converter.
        directory: exists and is empty.
    """
    backbone, converter = preset
    backbone.save_to_preset(str(directory))
    converter.save_to_preset(str(directory))
    metadata = json.loads((directory / model_files.METADATA).read_text(encoding="utf-8"))
    del metadata["date_saved"]
    (directory / model_files.METADATA).write_text(json.dumps(metadata, indent=4) + "\n", encoding="utf-8")


def _explain(name: str, error: Exception) -> str:
    """Say in one line what is wrong and how to mend it."""
    if Path(name).is_dir():
        return f"cannot be loaded: {first_line(error).rstrip('.')}"
    hugging_face = name.startswith("hf://")
    credentials = _HUGGING_FACE if hugging_face else _KAGGLE
    response = getattr(error, "response", None)
    status = response.status_code if response is not None else None
    if isinstance(error, GatedRepoError | RepositoryNotFoundError) or status in (401, 403, 404):
        return f"no such preset, or no permission to fetch it: check its name; {credentials}; {_OFFLINE}"
    if isinstance(error, LocalEntryNotFoundError | requests.ConnectionError | requests.Timeout | ConnectionError):
        site = "huggingface.co" if hugging_face else "kaggle.com"
        return f"{site} cannot be reached: check the network connection, or use another preset: {_OFFLINE}"
    if "Unknown preset identifier" in str(error):
        return (
            "expected `sample`, a directory that exists, a name that KerasHub knows (such as xception_41_imagenet), "
            "kaggle://{org}/{model}/keras/{variant} or hf://{org}/{model}"
        )
    return f"cannot be loaded: {first_line(error).rstrip('.')}"
