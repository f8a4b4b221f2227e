"""What images of somebody's own get unless somebody has said otherwise: decided from a look at them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.planning.look import Look
from flows.project import profiles

# They are for the reference task, and for whoever asks: on few images they cost most of the time and cannot win.
TURNED_OFF = ("scratch", "scratch_augmented", "feature_extraction_augmented")
# Training steps of fine-tuning at least: more of them learned a few photographs by heart at three times the cost, and
# got no more test images right (docs/benchmarks.md). The drawings of the embedded default start from less.
STEPS = 100
DRAWN = 64  # pixels: what the backbone of drawings is made for
USUAL = 224  # pixels: what most others are made for
# What is said of one set of images and seldom holds for another.
_OF_IMAGES = ("split.labels", "split.group", "split.order", "split.strays", "download.links")
MODELS = (*TURNED_OFF, "feature_extraction", "fine_tuned")


@dataclass(frozen=True)
class Decided:
    """Values for images of somebody's own.

    Attributes:
        values: of parameters, by their keys.
        kept: of values that somebody has set, as sentences.
    """

    values: dict[str, Any] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)


def decide(values: Mapping[str, Any], found: Look, said: Collection[str]) -> Decided:
    """Decide what differs from the embedded default, which is made for small drawings.

    Args:
        values: of params.yaml as it would be, by their keys.
        said: keys that somebody has just set, which stay as they are without a word.
    """
    default, decided = profiles.default_values(), Decided()
    wished: dict[str, Any] = {f"{model}.enabled": False for model in TURNED_OFF}
    if any(values.get(key) is not True for model in MODELS if (key := f"{model}.enabled") not in said):
        # Which models there are is somebody's choice, made as a whole.
        wished = {}
    elif found.preset and found.preset["name"] != "sample":
        wished["fine_tuned.min_steps"] = STEPS
    if wished and values.get("fine_tuned.start") in TURNED_OFF:
        del wished[f"{values['fine_tuned.start']}.enabled"]
    if found.preset:
        wished["common.image_size"] = image_size(found.preset)
    for key, value in wished.items():
        if key in said or values.get(key) == value:
            continue
        if key in default and values.get(key) == default[key]:
            decided.values[key] = value
        else:
            decided.kept.append(f"{key}: {values.get(key)} (these images would get {value})")
    if values.get("backbone.preset") == "sample" and "backbone.preset" not in said:
        decided.kept.append("backbone.preset: sample, which is pretrained on drawings (--preset auto: on photographs)")
    return decided


def of_other_images(values: Mapping[str, Any], given: Collection[str]) -> list[str]:
    """Say which values are kept that may have been set for other images, as sentences with the way back.

    Args:
        values: of params.yaml as it would be, by their keys.
        given: keys that somebody has just set, or that follow from the images.
    """
    default = profiles.default_values()
    return [
        f"{key}: {values[key]} (--set {key}={default[key] if default[key] is not None else 'null'} takes it back)"
        for key in _OF_IMAGES
        if key in default and key not in given and values.get(key) != default[key]
    ]


def image_size(preset: Mapping[str, Any]) -> int | str:
    """The size at which images go through a backbone: that which it was made for, however small they are.

    Images of 200, 96, 48 and 32 pixels were each told apart better the nearer their size was brought to the backbone's
    own (`python -m benchmarks.image_sizes`).

    Args:
        preset: of the backbone its name, `size` (pixels, or None) and `any_size`, as `stages.look` tells them.

    Returns:
        Height and width in pixels, or "preset".
    """
    if preset["name"] == "sample":
        return DRAWN
    says_none = Path(preset["name"]).is_dir() and preset["size"] is None
    return USUAL if says_none and preset["any_size"] else "preset"
