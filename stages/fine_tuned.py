"""The model of `feature_extraction_augmented`, its backbone trained too, gently."""

from pathlib import Path

from stages.lib.core import entry
from stages.lib.core.model_sections import FineTunedParams
from stages.lib.core.outputs import disable, require
from stages.lib.core.params import CommonParams, Precision
from stages.lib.networks.startup import start_tensorflow


def fine_tuned(
    dataset: Path, manifest: Path, start: Path, model: Path, common: CommonParams, params: FineTunedParams
) -> None:
    """Unfreeze the backbone of the model in `start`, batch normalisation excepted, and train on.

    Args:
        dataset: directory of the images, from the stage `split`.
        manifest: table of the images, from the stage `split`.
        start: directory of the model `feature_extraction_augmented`.
        model: directory to write: model.keras, history.csv, summary.json, summary.txt, live/ and augmented.png (where
            training images vary).
        common: section `common` of params.yaml.
        params: section `fine_tuned` of params.yaml.

    Raises:
        UserError: `start` is turned off, or the loss is no longer a number.
    """
    if not params.enabled:
        disable(model, "fine_tuned")
        return
    require(start, "feature_extraction_augmented", "fine_tuned")

    # TensorFlow takes seconds to import: a stage that is turned off does without.
    start_tensorflow(common.deterministic)
    import keras

    from stages.lib.images.manifest import read_subsets
    from stages.lib.networks import build as networks
    from stages.lib.networks import mirroring, saved_model
    from stages.lib.networks.unfreezing import unfreeze
    from stages.lib.training.image_training import train_on_images
    from stages.lib.training.run import start_run

    def build(precision: Precision) -> keras.Model:
        trained, _ = saved_model.load(start / "model.keras")
        network = networks.with_precision(mirroring.plain(trained), precision)
        unfreeze(networks.backbone_of(network), None if params.unfreeze == "all" else params.unfreeze)
        return network

    train, validation = read_subsets(dataset, manifest, "train", "validation")
    run = start_run("fine_tuned", common, params, [Path(__file__), manifest, start / "model.keras"])
    train_on_images(run, build, train, validation, model, saved_model.resizing_of(start / "model.keras"))


if __name__ == "__main__":
    entry.run(fine_tuned)
