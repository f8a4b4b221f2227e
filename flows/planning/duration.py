"""About how long the stages take: rough figures of a machine with two cores, corrected by what runs here have taken.

The figures need not be good: before a run has told how fast this machine is a range is said, and after one each stage
is expected to take what it took, more or less by the work.
"""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from flows.execution.machine import usable_cores
from flows.execution.process_output import Outcome
from flows.project.whole_file import write_whole

PLANNED = {"common.batch_size", "common.image_size", "backbone.preset"}  # parameters without which nothing is known
PACE = Path(".smallset") / "pace.json"
_AREA = 180 * 180  # pixels of an image to which the figures below belong
_WEIGHTS = 9.5e6  # bytes of the backbone to which they belong
_SLOWER = 3.0  # times that a slow machine, or one that gets busy, may well take of the rough figures
_TELLING = 60.0  # seconds of stages from which on they say how fast a machine is
_ALIKE = 4.0  # factor up to which the work of another run says how long a stage takes by itself
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


@dataclass(frozen=True)
class Expected:
    """How long stages are expected to take.

    Attributes:
        stages: seconds of each.
        known: whether runs here have told most of it.
    """

    stages: Mapping[str, float]
    known: bool

    @property
    def seconds(self) -> float:
        """Of all of them, one after the other."""
        return sum(self.stages.values())


def expect(stages: Sequence[str], work: Work) -> Expected:
    """Expect how long stages take here.

    Args:
        stages: names.
    """
    paces = _read()
    # How fast this machine is: little is known of that from a stage of seconds.
    took, said = (_TELLING + sum(pair[key] for pair in paces.values()) for key in ("seconds", "rough"))
    # What runs here took they took beside whatever else was at work.
    took *= 1.0 if paces else _busy()
    found, told = {}, 0.0
    for stage in stages:
        seconds, last = rough(stage, work), paces.get(stage)
        if last and last["rough"] > 0 and 1 / _ALIKE <= seconds / last["rough"] <= _ALIKE:
            found[stage] = seconds * last["seconds"] / last["rough"]
            told += found[stage]
        else:
            found[stage] = seconds * took / said
    return Expected(found, told > sum(found.values()) / 2)


def _busy() -> float:
    """How many times as long anything takes now, as others are at work: processes that want a core, for each core."""
    try:
        return max(1.0, psutil.getloadavg()[0] / usable_cores())
    except OSError:
        return 1.0


class Ended(Protocol):
    """A stage of a run, as its record has it."""

    @property
    def name(self) -> str:
        """Of the stage."""

    @property
    def outcome(self) -> str:
        """What became of it."""

    @property
    def seconds(self) -> float | None:
        """That it took."""


def remember(results: Collection[Ended], work: Work) -> None:
    """Keep how long the stages of a run took, for the next one."""
    paces = _read()
    for result in results:
        if result.outcome == Outcome.RAN and result.seconds:
            paces[result.name] = {"rough": round(rough(result.name, work), 2), "seconds": round(result.seconds, 2)}
    write_whole(PACE, json.dumps(paces, indent=2) + "\n")


def _read() -> dict[str, dict[str, float]]:
    """How long stages took in earlier runs; empty where nobody knows, or the file is not ours."""
    with suppress(FileNotFoundError, ValueError, AttributeError, TypeError, KeyError):
        found = json.loads(PACE.read_text(encoding="utf-8"))
        return {name: {key: float(pair[key]) for key in ("rough", "seconds")} for name, pair in found.items()}
    return {}


def about(seconds: float, known: bool) -> str:
    """A time that nobody knows to the second; where no run here has told it, from when it goes well to when not."""
    if known:
        return f"about {in_words(seconds)}"
    return f"{in_words(seconds)} to {in_words(_SLOWER * seconds)}"


def in_words(seconds: float) -> str:
    """A time, rounded."""
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60):.0f} min"
    return f"{seconds / 3600:.1f} h"
