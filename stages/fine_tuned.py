"""A model with a trained head, its backbone trained too, gently."""

from pathlib import Path

import numpy as np

from safety.words import counted
from stages.lib.core import entry
from stages.lib.core.model_sections import FineTunedParams
from stages.lib.core.outputs import disable, require
from stages.lib.core.params import CommonParams, Precision
from stages.lib.images.manifest import read_subsets, require_classes
from stages.lib.networks.startup import start_tensorflow


def fine_tuned(
    dataset: Path,
    manifest: Path,
    feature_extraction: Path,
    feature_extraction_augmented: Path,
    model: Path,
    common: CommonParams,
    params: FineTunedParams,
) -> None:
    """Unfreeze the backbone of a model whose head is trained, batch normalisation excepted, and train on.

    With the head trained first, features are not distorted by what a random head asks of them (Kumar et al. 2022).

    Args:
        dataset: directory of the images, from the stage `split`.
        manifest: table of the images, from the stage `split`.
        feature_extraction: directory of this model; where `params.start` names it, the one to train on.
        feature_extraction_augmented: the same.
        model: directory to write: model.keras, history.csv, summary.json, summary.txt, live/ and augmented.png (where
            training images vary).
        common: section `common` of params.yaml.
        params: section `fine_tuned` of params.yaml.

    Raises:
        UserError: the model to train on is turned off or of other classes, or the loss is no longer a number.
    """
    if not params.enabled:
        disable(model, "fine_tuned")
        return
    start = feature_extraction if params.start == "feature_extraction" else feature_extraction_augmented
    require(start, params.start, "fine_tuned")
    train, validation = read_subsets(dataset, manifest, "train", "validation")
    fewest = int(np.bincount(train.labels, minlength=len(train.classes)).min())
    if params.min_images is not None and fewest < params.min_images:
        disable(model, "fine_tuned", _too_few(fewest, params.min_images))
        return

    # TensorFlow takes seconds to import: a stage that is turned off does without.
    start_tensorflow(common.deterministic)
    import keras

    from stages.lib.networks import build as networks
    from stages.lib.networks import mirroring, saved_model
    from stages.lib.training.fine_tuning import fine_tuning, prepare
    from stages.lib.training.image_training import train_on_images
    from stages.lib.training.run import start_run

    def build(precision: Precision) -> keras.Model:
        trained, classes = saved_model.load(start / "model.keras")
        require_classes(train, classes, start)
        network = networks.with_precision(mirroring.plain(trained), precision)
        prepare(network, params)
        return network

    run = start_run("fine_tuned", common, params, [Path(__file__), manifest, start / "model.keras"])
    resizing = saved_model.resizing_of(start / "model.keras")
    train_on_images(run, build, train, validation, model, resizing, fine_tuning(params))


def _too_few(fewest: int, wanted: int) -> str:
    return (
        f"fine_tuned was not trained: its smallest class has {counted(fewest, 'training image')}, and "
        f"fine_tuned.min_images asks for {wanted}. Add images, or set fine_tuned.min_images to null."
    )


if __name__ == "__main__":
    entry.run(fine_tuned)
