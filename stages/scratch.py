"""A small convnet from random weights; serves the stages `scratch` and `scratch_augmented`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.lib import entry
from stages.lib.outputs import disable
from stages.lib.params import CommonParams, PictureTrainingParams, Precision
from stages.lib.pictures import Color
from stages.lib.startup import start_tensorflow


class ScratchParams(PictureTrainingParams):
    """Sections `scratch` and `scratch_augmented`: the convnet and its training.

    filters: of each 3 x 3 convolution. pooling: 2 x 2 max pooling between them. dropout: before the classifier.
    """

    color: Color
    filters: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]
    pooling: bool
    dropout: Annotated[float, Field(ge=0, lt=1)]


def scratch(
    dataset: Path, manifest: Path, model: Path, common: CommonParams, params: ScratchParams, stage: str
) -> None:
    """Train a convnet on the training pictures.

    Raises:
        UserError: the pictures are too small for the convolutions, or the loss is no longer a number.
    """
    if not params.enabled:
        disable(model, stage)
        return

    # TensorFlow takes seconds to import: a stage that is turned off does without.
    start_tensorflow(common.deterministic)
    import keras

    from stages.lib.manifest import read_subset
    from stages.lib.networks import convnet
    from stages.lib.picture_training import train_on_pictures
    from stages.lib.precision import policy

    train, validation = (read_subset(dataset, manifest, subset) for subset in ("train", "validation"))

    def build(precision: Precision) -> keras.Model:
        with policy(precision):
            return convnet(
                common.pixels, params.color, params.filters, params.pooling, params.dropout, len(train.classes)
            )

    train_on_pictures(stage, build, train, validation, common, params, [manifest], model)


if __name__ == "__main__":
    entry.run(scratch)
