"""Training of `scratch` and `scratch_augmented` beside plain Keras, an epoch of each in turns.

    python -m benchmarks.training data/dataset

data/dataset is what the stage `split` wrote. Plain Keras is `image_dataset_from_directory`, the three augmentation
layers in the input pipeline, and `fit`, in float32. A turn is an epoch, validation included. "ratio" is that to plain
Keras, turn by turn; "processor" is the same of the processors' time, which other work on the machine disturbs less.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from benchmarks import sides, trainings
from benchmarks.options import Batch, Dataset, Images, Json, Only, Size, Turns, require_one_of
from stages.lib.core.params import AskedPrecision, Precision

if TYPE_CHECKING:
    import keras

STAGES = {"scratch": False, "scratch_augmented": True}  # whether on varied images

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def convnet(work: trainings.Work, precision: Precision) -> "keras.Model":
    """The network of both sides."""
    from stages.lib.networks import build
    from stages.lib.networks.precision import policy

    filters = [32, 64, 128, 256, 512] if work.image_size >= 128 else [32, 64, 128]
    with policy(precision):
        return build.convnet(work.image_size, "rgb", filters, True, 0.25 if work.augmented else 0.0, 2)


def plain(work: trainings.Work) -> trainings.Plain:
    """Plain Keras."""
    import keras

    model = convnet(work, "float32")
    model.compile(keras.optimizers.Adam(work.learning_rate), keras.losses.BinaryCrossentropy(), metrics=["accuracy"])
    return trainings.Plain(work, model)


def ours(work: trainings.Work, precision: AskedPrecision) -> trainings.Ours:
    """The stages."""
    return trainings.Ours(work, partial(convnet, work), precision)


@app.command()
def main(
    dataset: Dataset,
    images: Images = 512,
    turns: Turns = 3,
    size: Size = 180,
    batch: Batch = 64,
    precision: AskedPrecision = "auto",
    only: Only = "",
    as_json: Json = False,
) -> None:
    """Measure both stages, or one."""
    require_one_of(only, STAGES)
    files = sides.some(dataset, {"train": images, "validation": images // 2})
    found = sides.counted(files)
    counts = {"training": found["train"], "validation": found["validation"]}
    with sides.links(files) as folder:
        for stage, augmented in STAGES.items():
            if only not in ("", stage):
                continue
            work = trainings.Work(folder, size, batch, augmented, 0.001)
            both: dict[str, Any] = {"plain Keras": partial(plain, work), stage: partial(ours, work, precision)}
            sides.show(f"{stage}, {size} x {size}, batch {batch}", sides.measure(both, turns), counts, as_json)


if __name__ == "__main__":
    app()
