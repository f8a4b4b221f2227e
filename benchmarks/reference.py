"""The whole reference task beside plain Keras, computed from what an epoch of each model takes.

    python -m benchmarks.reference data/dataset models/backbone

data/dataset is what the stage `split` wrote, models/backbone a preset directory. The sides are those of
`benchmarks.training`, `benchmarks.features` and `benchmarks.heads`, in turns on some of the images; epochs and the
numbers of images are those of profiles/dogs_vs_cats.yaml. Not counted are download, split, the head on cached
features, evaluation and report, which are the same on both sides, and the seconds in which our side decodes its
images, once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import typer

from benchmarks import backbones, features, heads, sides, tables, training, trainings
from benchmarks.options import Dataset, Images, Turns
from stages.lib.core.params import AskedPrecision
from stages.lib.core.params_file import read_file

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
PROFILE = Path("profiles") / "dogs_vs_cats.yaml"


@dataclass(frozen=True)
class Part:
    """A part of the reference task: the plain way of it and ours, and images that it sees, by part of a turn."""

    plain: Callable[[], Any]
    ours: Callable[[], Any]
    images: dict[str, int]


def parts(folder: Path, preset: Path, precision: AskedPrecision) -> dict[str, Part]:
    """The parts of the reference task, by stage."""
    profile: dict[str, Any] = read_file(PROFILE)
    classes, size, batch, split = 2, profile["common"]["image_size"], 64, profile["split"]

    def seen(stage: str) -> dict[str, int]:
        epochs = profile[stage]["epochs"]
        return {
            "training": classes * split["train"] * epochs,
            "validation": classes * split["validation"] * epochs,
        }

    def work(augmented: bool) -> trainings.Work:
        return trainings.Work(folder, size, batch, augmented, 0.001)

    found = {
        "features": Part(
            partial(features.Predict, folder, preset, size, batch),
            partial(features.Stage, folder, preset, size, batch, precision, False),
            {"features": classes * (split["train"] + split["validation"] + split["test"])},
        )
    }
    for stage, augmented in (("scratch", False), ("scratch_augmented", True)):
        sides_of = partial(training.plain, work(augmented)), partial(training.ours, work(augmented), precision)
        found[stage] = Part(*sides_of, seen(stage))
    for stage, plain in (("feature_extraction_augmented", heads.functional), ("fine_tuned", heads.classifier)):
        ours = partial(heads.ours, work(True), preset, stage == "fine_tuned", precision)
        found[stage] = Part(partial(plain, work(True), preset), ours, seen(stage))
    return found


def minutes(result: sides.Result, measured: dict[str, int], wanted: dict[str, int]) -> float:
    """Minutes for all images, at the median speed of each part of a turn."""
    return sum(median(result.seconds[part]) / measured[part] * wanted[part] for part in wanted) / 60


@app.command()
def main(
    dataset: Dataset,
    preset: str,
    images: Images = 512,
    turns: Turns = 3,
    precision: AskedPrecision = "auto",
) -> None:
    """Measure every part, and show the whole."""
    files = sides.some(dataset, {"train": images, "validation": images // 2, "test": images})
    found = sides.counted(files)
    measured = {"training": found["train"], "validation": found["validation"], "features": found["test"]}
    taken: dict[str, tuple[float, float]] = {}
    with sides.links(files) as folder, backbones.directory(preset) as weights:
        for stage, part in parts(folder, weights, precision).items():
            results = sides.measure({"plain Keras": part.plain, stage: part.ours}, turns)
            sides.show(stage, results, measured, False)
            plain, ours = (minutes(one, measured, part.images) for one in results.values())
            taken[stage] = plain, ours
    taken["together"] = sum(plain for plain, _ in taken.values()), sum(ours for _, ours in taken.values())
    tables.show(
        ["", "plain Keras, minutes", "Smallset, minutes", "ratio"],
        [(stage, f"{plain:.1f}", f"{ours:.1f}", f"{plain / ours:.2f}") for stage, (plain, ours) in taken.items()],
    )


if __name__ == "__main__":
    app()
