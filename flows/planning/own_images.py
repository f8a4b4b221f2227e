"""What images of somebody's own get unless somebody has said otherwise: decided from a look at them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.planning.look import Look
from flows.project import profiles

# They are for the reference task, and for whoever asks: on few images they cost most of the time and cannot win.
TURNED_OFF = ("scratch", "scratch_augmented", "feature_extraction_augmented")
# Pixels. DRAWN: what the backbone of drawings is made for.
DRAWN, SMALLEST, LARGEST, STEP = 64, 96, 192, 32
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
    if any(values.get(f"{model}.enabled") is not True for model in MODELS):
        # Which models there are is somebody's choice, made as a whole.
        wished = {}
    elif values.get("fine_tuned.start") in TURNED_OFF:
        del wished[f"{values['fine_tuned.start']}.enabled"]
    if found.images and found.preset:
        wished["common.image_size"] = image_size(found.images["sizes"]["median"], found.preset)
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


def image_size(median: int, preset: Mapping[str, Any]) -> int | str:
    """The size at which images go through a backbone.

    Args:
        median: of the shorter sides of the images, in pixels.
        preset: of the backbone its name, `size` (pixels, or None) and `any_size`, as `stages.look` tells them.

    Returns:
        Height and width in pixels; "preset" where the backbone takes no other size than its own.
    """
    if preset["name"] == "sample":
        return DRAWN
    if not preset["any_size"]:
        return "preset"
    return min(max(SMALLEST, STEP * round(median / STEP)), LARGEST, preset["size"] or LARGEST)
