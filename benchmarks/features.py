"""The stage `features` beside a loop of `predict`, and beside the bare forward pass, in turns.

    python -m benchmarks.features data/dataset models/backbone
    python -m benchmarks.features data/dataset xception --images 192

data/dataset is what the stage `split` wrote, models/backbone a preset directory; `xception` is the architecture of
Xception-41 with random weights. The loop of `predict` reads with `image_dataset_from_directory`, in float32. The bare
pass is what the stage computes, on images that are in memory already; "decoding alone" is the rest of its work, which
takes the same processors. "ratio" is that to the loop of `predict`, turn by turn; "processor" is the same of the
processors' time, which other work on the machine disturbs less.
"""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import backbones, sides
from benchmarks.options import Batch, Dataset, Json, Size
from benchmarks.sides import timed
from stages.lib.core.params import AskedPrecision, Precision

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Predict:
    """`predict` on each batch."""

    def __init__(self, folder: Path, preset: Path, size: int, batch: int) -> None:
        """Load the backbone."""
        import keras
        import keras_hub
        from keras import layers

        backbone = keras_hub.models.Backbone.from_preset(str(preset))
        converter = keras_hub.layers.ImageConverter.from_preset(str(preset))
        inputs = keras.Input((size, size, 3))
        x = backbone(layers.Rescaling(converter.scale or 1.0, converter.offset or 0.0)(inputs))
        self.model = keras.Model(inputs, layers.GlobalAveragePooling2D()(x))
        self.images = keras.utils.image_dataset_from_directory(
            folder / "test", labels=None, image_size=(size, size), batch_size=batch, shuffle=False, verbose=False
        )

    def turn(self) -> dict[str, float]:
        """All images once."""
        return {"features": timed(lambda: [self.model.predict(batch, verbose=0) for batch in self.images])}

    def about(self) -> dict[str, Any]:
        """Precision."""
        return {"in": "float32"}


class Stage:
    """The stage: images decoded beside one compiled function; `bare`: decoded before."""

    def __init__(self, folder: Path, preset: Path, size: int, batch: int, asked: AskedPrecision, bare: bool) -> None:
        """Load the backbone and choose a precision."""
        import numpy as np

        from stages.lib.images.decode import stream
        from stages.lib.images.resizing import STRETCH
        from stages.lib.inference.forward import compiled
        from stages.lib.networks.build import feature_extractor
        from stages.lib.networks.fusion import forward_pass, fuse
        from stages.lib.networks.precision import Step, choose

        def step_in(precision: Precision) -> Step:
            forward = forward_pass(fuse(feature_extractor(preset, size, precision)), batch)
            return lambda: forward(np.zeros((batch, size, size, 3), np.uint8))

        self.precision = choose("benchmark", asked, step_in)
        self.forward = compiled(feature_extractor(preset, size, self.precision), batch)
        files = sorted((folder / "test").glob("*/*"))
        self.batches = partial(stream, files, size, "rgb", batch, resizing=STRETCH)
        self.decoded = list(self.batches()) if bare else None

    def turn(self) -> dict[str, float]:
        """All images once."""
        batches = self.decoded or self.batches()
        return {"features": timed(lambda: list(map(self.forward, batches)))}

    def about(self) -> dict[str, Any]:
        """Precision."""
        return {"in": self.precision}


class Decoding:
    """What the stage reads, and nothing done with it."""

    def __init__(self, folder: Path, size: int, batch: int) -> None:
        """List the images."""
        from stages.lib.images.decode import stream
        from stages.lib.images.resizing import STRETCH

        files = sorted((folder / "test").glob("*/*"))
        self.batches = partial(stream, files, size, "rgb", batch, resizing=STRETCH)

    def turn(self) -> dict[str, float]:
        """All images once."""
        return {"features": timed(lambda: list(self.batches()))}

    def about(self) -> dict[str, Any]:
        """Nothing more."""
        return {}


@app.command()
def main(
    dataset: Dataset,
    preset: str,
    images: Annotated[int, typer.Option(min=2, help="Images, of the test subset.")] = 1024,
    turns: Annotated[int, typer.Option(min=1, help="How often they are measured.")] = 5,
    size: Size = 180,
    batch: Batch = 64,
    precision: AskedPrecision = "auto",
    as_json: Json = False,
) -> None:
    """Measure all of them."""
    files = sides.some(dataset, {"test": images})
    with sides.links(files) as folder, backbones.directory(preset) as weights:
        results = sides.measure(
            {
                "loop of predict": partial(Predict, folder, weights, size, batch),
                "features": partial(Stage, folder, weights, size, batch, precision, False),
                "bare forward pass": partial(Stage, folder, weights, size, batch, precision, True),
                "features, float32": partial(Stage, folder, weights, size, batch, "float32", False),
                "bare forward pass, float32": partial(Stage, folder, weights, size, batch, "float32", True),
                "decoding alone": partial(Decoding, folder, size, batch),
            },
            turns,
        )
        sides.show(
            f"features, {size} x {size}, batch {batch}", results, {"features": sides.counted(files)["test"]}, as_json
        )


if __name__ == "__main__":
    app()
