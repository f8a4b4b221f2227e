"""Which networks of KerasHub see images, and the part of each that takes images alone."""

import inspect
import json
from pathlib import Path

import keras
import keras_hub

from stages.lib.core.errors import UserError

# Networks for another task hold the backbone that sees: of CLIP and SigLIP beside one that reads; below a detector,
# a segmenter or an estimator of depth, whose own outputs say less of what an image shows.
_PARTS = ("vision_encoder", "image_encoder", "backbone")
# What the constructor of a network that sees is told.
_OF_IMAGES = {"image_shape", "image_size", "input_shape", *_PARTS, "vision_encoder_config"}
_LANGUAGE = "a language model, whose part that sees is no backbone of its own"
_GENERATES = "it makes images and does not look at them"
# Refused by name, before gigabytes are fetched.
REFUSED = {
    "BLIP2Backbone": _LANGUAGE,
    "FluxBackbone": _GENERATES,
    "Gemma3Backbone": _LANGUAGE,
    "Gemma3nBackbone": f"{_LANGUAGE} (but mobilenetv5_300m_enc_gemma3n is the same one alone)",
    "Gemma4Backbone": _LANGUAGE,
    "PaliGemmaBackbone": _LANGUAGE,
    "Qwen3_5Backbone": _LANGUAGE,
    "Qwen3_5MoeBackbone": _LANGUAGE,
    "SAM3PromptableConceptBackbone": "a segmenter by words, whose part that sees is no backbone of its own",
    "StableDiffusion3Backbone": _GENERATES,
    "T5Gemma2Backbone": _LANGUAGE,
    "VideoPrismBackbone": "it takes videos",
}


def backbone_classes() -> dict[str, type[keras_hub.models.Backbone]]:
    """Every class of backbone that KerasHub exports, by name, but for those that others are derived from."""
    abstract = {keras_hub.models.Backbone, keras_hub.models.FeaturePyramidBackbone}
    every = vars(keras_hub.models).items()
    return {
        name: one
        for name, one in sorted(every)
        if isinstance(one, type) and issubclass(one, keras_hub.models.Backbone) and one not in abstract
    }


def sees(network: type[keras_hub.models.Backbone]) -> bool:
    """Whether a class of networks takes images, by what its constructor is told."""
    return bool(_OF_IMAGES & set(inspect.signature(network.__init__).parameters))


def check_name(preset: str) -> None:
    """Refuse a preset whose class cannot be a backbone of images, where its name or its files say the class.

    Args:
        preset: a directory, a name that KerasHub knows, or a handle, which says nothing.

    Raises:
        UserError: the class does not take images, or not images alone.
    """
    known = backbone_classes()
    name = _class_in(Path(preset)) or next((one for one, its in known.items() if preset in its.presets), "")
    if name in REFUSED or (name in known and not sees(known[name])):
        reason = REFUSED.get(name, "it takes no images")
        raise UserError(f"backbone.preset: expected a backbone of images, {name} is none: {reason}")


def _class_in(directory: Path) -> str:
    file = directory / "config.json"
    return str(json.loads(file.read_text(encoding="utf-8")).get("class_name")) if file.is_file() else ""


def image_encoder(network: keras_hub.models.Backbone) -> keras_hub.models.Backbone:
    """The backbone that sees images, taken out of a network that is made around one; any other one as it is.

    Args:
        network: with its weights, which the part keeps.

    Raises:
        UserError: the network does not take RGB images alone, and holds no backbone that does.
    """
    inner = next((part for name in _PARTS if (part := getattr(network, name, None)) is not None), None)
    found = inner if isinstance(inner, keras_hub.models.Backbone) else network
    shapes = [tuple(one.shape) for one in keras.tree.flatten(getattr(found, "inputs", None) or [])]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] != 3:
        takes = f"{len(shapes)} inputs" if len(shapes) != 1 else f"inputs {shapes[0]}"
        raise UserError(
            f"backbone.preset: expected a backbone that takes RGB images alone, {type(network).__name__} takes {takes}"
        )
    rate = getattr(found, "drop_path_rate", 0)
    if rate and isinstance(found, keras_hub.models.DINOV2Backbone | keras_hub.models.DINOV3Backbone):
        # It makes noise for as many images as the network was built for, and that is any number.
        raise UserError(
            f"backbone.preset: expected drop_path_rate 0 in config.json: KerasHub's {type(found).__name__} cannot "
            f"train with {rate}"
        )
    return found
