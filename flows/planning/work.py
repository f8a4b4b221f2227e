"""What stages have to do, and about how many seconds that takes on a machine with two cores."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PLANNED = {"common.batch_size", "common.image_size", "backbone.preset"}  # parameters without which nothing is known
_AREA = 180 * 180  # pixels of an image to which the figures below belong
_WEIGHTS = 9.5e6  # bytes of the backbone to which they belong
# Seconds of a stage that has next to nothing to do: Python and DVC; with TensorFlow.
_LIGHT, _HEAVY = 2.0, 9.0
_TENSORFLOW = ("backbone", "features", "feature_extraction", "evaluate", "classifier")
# Seconds of a training step for each image, forward and backward; `evaluate` for each image of a model.
_STEP = {
    "scratch": 0.02,
    "scratch_augmented": 0.02,
    "feature_extraction_augmented": 0.006,
    "fine_tuned": 0.017,
}
_LOOKED_THROUGH = 0.003  # seconds an image goes through a backbone
_PRETRAINING = 60.0  # seconds: of the backbone of drawings, as the default has it


@dataclass(frozen=True)
class Work:
    """What the stages have to do.

    Attributes:
        subsets: images of train, validation and test.
        side: height and width of the images of the models, in pixels.
        preset: of the backbone; None without.
        weights: bytes of the backbone; None where nobody knows.
        values: of all parameters, by their keys.
        least: training images of the class that has the fewest; None where nobody knows.
    """

    subsets: Mapping[str, int]
    side: int
    preset: str | None
    weights: int | None
    values: Mapping[str, Any]
    least: int | None = None

    @property
    def images(self) -> int:
        """Of all subsets."""
        return sum(self.subsets.values())

    def leaves_out(self, model: str) -> bool:
        """Whether a class has too few images for a model to be trained at all."""
        minimum = self.values.get(f"{model}.min_images")
        return minimum is not None and self.least is not None and self.least < minimum


def rough(stage: str, work: Work) -> float:
    """Seconds of a stage by the rough figures.

    Args:
        stage: its name, as `evaluate@fine_tuned`.
    """
    name, _, model = stage.partition("@")
    if work.values.get(f"{model or name}.enabled") is False or work.leaves_out(model or name):
        return 0.0
    start = _HEAVY if name in _TENSORFLOW or name in _STEP else _LIGHT
    return start + _done(name, work)


def _done(name: str, work: Work) -> float:
    """Seconds of what a stage does once it has started."""
    area, size = work.side * work.side / _AREA, (work.weights or _WEIGHTS) / _WEIGHTS
    train, through = work.subsets["train"], _LOOKED_THROUGH * area * size
    if name in _STEP:
        steps, batch = _steps(name, work)
        return steps * batch * _STEP[name] * area * (1.0 if name.startswith("scratch") else size)
    times = 2 if work.values.get("features.mirror") else 1
    seconds = {
        "download": 0.0002 * work.images,
        "split": 0.002 * work.images,
        "backbone": _PRETRAINING if work.preset == "sample" else 0.0,
        "features": times * work.images * through,
        "feature_extraction": 0.002 * train,
        "evaluate": 2 * (work.images - train) * through,
    }
    return seconds.get(name, 0.0)


def _steps(model: str, work: Work) -> tuple[int, int]:
    """Training steps of a model, and images of each."""
    images = max(1, work.subsets["train"])
    batch = min(images, work.values["common.batch_size"])
    least = work.values.get(f"{model}.min_steps") or 0
    return max(work.values[f"{model}.epochs"] * math.ceil(images / batch), least), batch
