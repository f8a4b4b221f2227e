"""A small convnet from random weights; serves the stages `scratch` and `scratch_augmented`."""

from pathlib import Path

from stages.lib.core import entry
from stages.lib.core.model_sections import ScratchParams
from stages.lib.core.outputs import disable
from stages.lib.core.params import CommonParams, Precision
from stages.lib.networks.startup import start_tensorflow


def scratch(
    dataset: Path, manifest: Path, model: Path, common: CommonParams, params: ScratchParams, stage: str
) -> None:
    """Train a convnet on the training images.

    Args:
        dataset: directory of the images, from the stage `split`.
        manifest: table of the images, from the stage `split`.
        model: directory to write: model.keras, history.csv, summary.json, summary.txt, live/ and augmented.png (where
            training images vary).
        common: section `common` of params.yaml.
        params: section of params.yaml that is named after the stage.
        stage: `scratch` or `scratch_augmented`.

    Raises:
        UserError: the images are too small for the convolutions, or the loss is no longer a number.
    """
    if not params.enabled:
        disable(model, stage)
        return

    # TensorFlow takes seconds to import: a stage that is turned off does without.
    start_tensorflow(common.deterministic)
    import keras

    from stages.lib.images.manifest import read_subsets
    from stages.lib.images.resizing import asked
    from stages.lib.networks.build import convnet
    from stages.lib.networks.precision import policy
    from stages.lib.training.image_training import train_on_images
    from stages.lib.training.run import start_run

    train, validation = read_subsets(dataset, manifest, "train", "validation")

    def build(precision: Precision) -> keras.Model:
        with policy(precision):
            return convnet(
                common.pixels, params.color, params.filters, params.pooling, params.dropout, len(train.classes)
            )

    run = start_run(stage, common, params, [Path(__file__), manifest])
    train_on_images(run, build, train, validation, model, asked(common))


if __name__ == "__main__":
    entry.run(scratch)
