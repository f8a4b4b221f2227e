"""What `common.deterministic` costs: an epoch of a stage with it and without it, in turns.

    python -m benchmarks.determinism data/dataset models/backbone

data/dataset is what the stage `split` wrote, models/backbone a preset directory. A turn is an epoch, validation
included. "ratio" is that to the epoch without it, turn by turn: 0.9 is a tenth longer. "processor" is the same of the
processors' time, which other work on the machine disturbs less.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import backbones, heads, sides, training, trainings
from benchmarks.options import Batch, Dataset, Images, Json, Only, Size, Turns, require_one_of
from stages.lib.core.params import Precision
from stages.lib.networks.startup import start_tensorflow

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

STAGES = ("scratch_augmented", "feature_extraction_augmented", "fine_tuned")


def side(stage: str, work: trainings.Work, preset: Path, precision: Precision, deterministic: bool) -> trainings.Ours:
    """A stage, with `common.deterministic` or without."""
    start_tensorflow(deterministic)
    if stage == "scratch_augmented":
        return training.ours(work, precision)
    return heads.ours(work, preset, stage == "fine_tuned", precision)


@app.command()
def main(
    dataset: Dataset,
    preset: str,
    images: Images = 512,
    turns: Turns = 5,
    size: Size = 180,
    batch: Batch = 64,
    precision: Annotated[Precision, typer.Option(help="One for both sides: they would choose by time.")] = "float32",
    only: Only = "",
    as_json: Json = False,
) -> None:
    """Measure the stages that train on varied images, or one."""
    require_one_of(only, STAGES)
    files = sides.some(dataset, {"train": images, "validation": images // 2})
    found = sides.counted(files)
    counts = {"training": found["train"], "validation": found["validation"]}
    with sides.links(files) as folder, backbones.directory(preset) as weights:
        for stage in STAGES:
            if only not in ("", stage):
                continue
            work = trainings.Work(folder, size, batch, augmented=True, learning_rate=0.00001)
            both: dict[str, Callable[[], sides.Side]] = {
                name: partial(side, stage, work, weights, precision, deterministic)
                for name, deterministic in (("without", False), ("deterministic", True))
            }
            sides.show(f"{stage}, {size} x {size}, batch {batch}", sides.measure(both, turns), counts, as_json)


if __name__ == "__main__":
    app()
