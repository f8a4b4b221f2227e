"""`feature_extraction_augmented` and `fine_tuned` beside plain Keras and KerasHub, an epoch of each in turns.

    python -m benchmarks.heads data/dataset models/backbone
    python -m benchmarks.heads data/dataset xception --images 192

data/dataset is what the stage `split` wrote, models/backbone a preset directory; `xception` is the architecture of
Xception-41 with random weights. Beside the frozen backbone: a functional Keras model and `fit`; beside fine-tuning:
KerasHub's `ImageClassifier.fit`; both with the three augmentation layers in the input pipeline, in float32. A turn is
an epoch, validation included, which `feature_extraction_augmented` does on cached features. "ratio" is that to the
plain way, turn by turn; "processor" is the same of the processors' time, which other work on the machine disturbs less.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from benchmarks import backbones, sides, trainings
from benchmarks.options import Batch, Dataset, Images, Json, Only, Size, Turns, require_one_of
from stages.lib.core.params import AskedPrecision, Precision

if TYPE_CHECKING:
    import keras

STAGES = ("feature_extraction_augmented", "fine_tuned")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def transfer(work: trainings.Work, preset: Path, unfrozen: bool, precision: Precision) -> "keras.Model":
    """The network of the stages."""
    from stages.lib.networks import build
    from stages.lib.networks.unfreezing import unfreeze

    model = build.transfer_model(preset, build.head_layers(256, "linear", 0.25, 2), work.image_size, precision)
    if unfrozen:
        unfreeze(build.backbone_of(model), None)
    return model


def ours(work: trainings.Work, preset: Path, unfrozen: bool, asked: AskedPrecision) -> trainings.Ours:
    """The stages."""
    return trainings.Ours(work, partial(transfer, work, preset, unfrozen), asked, head_only=not unfrozen)


def functional(work: trainings.Work, preset: Path) -> trainings.Plain:
    """A head on a frozen backbone in plain Keras."""
    import keras
    import keras_hub
    from keras import layers

    backbone = keras_hub.models.Backbone.from_preset(str(preset))
    backbone.trainable = False
    converter = keras_hub.layers.ImageConverter.from_preset(str(preset))
    inputs = keras.Input((work.image_size, work.image_size, 3))
    x = backbone(layers.Rescaling(converter.scale or 1.0, converter.offset or 0.0)(inputs), training=False)
    x = layers.Dense(256)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Dropout(0.25)(x)))
    model.compile(keras.optimizers.Adam(work.learning_rate), keras.losses.BinaryCrossentropy(), metrics=["accuracy"])
    return trainings.Plain(work, model)


def classifier(work: trainings.Work, preset: Path) -> trainings.Plain:
    """KerasHub's classifier, all of it training."""
    import keras
    import keras_hub

    model = keras_hub.models.ImageClassifier.from_preset(str(preset), num_classes=2)
    model.preprocessor.image_size = (work.image_size, work.image_size)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(work.learning_rate), loss=loss, metrics=["accuracy"])
    return trainings.Plain(work, model)


@app.command()
def main(
    dataset: Dataset,
    preset: str,
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
    with sides.links(files) as folder, backbones.directory(preset) as weights:
        work = trainings.Work(folder, size, batch, augmented=True, learning_rate=0.00001)
        stages: dict[str, dict[str, Callable[[], sides.Side]]] = {
            "feature_extraction_augmented": {
                "plain Keras": partial(functional, work, weights),
                "the stage": partial(ours, work, weights, False, precision),
            },
            "fine_tuned": {
                "KerasHub": partial(classifier, work, weights),
                "the stage": partial(ours, work, weights, True, precision),
            },
        }
        for stage, both in stages.items():
            if only in ("", stage):
                sides.show(f"{stage}, {size} x {size}, batch {batch}", sides.measure(both, turns), counts, as_json)


if __name__ == "__main__":
    app()
