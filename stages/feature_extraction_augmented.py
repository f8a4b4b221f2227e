"""A head trained end to end on varied images, the backbone below it frozen."""

from pathlib import Path

from stages.lib.core import entry
from stages.lib.core.model_sections import FeatureExtractionAugmentedParams
from stages.lib.core.outputs import disable, require
from stages.lib.core.params import CommonParams, Precision
from stages.lib.networks.startup import start_tensorflow


def feature_extraction_augmented(
    dataset: Path,
    manifest: Path,
    features: Path,
    preset: Path,
    model: Path,
    common: CommonParams,
    params: FeatureExtractionAugmentedParams,
) -> None:
    """Train the head through the frozen backbone.

    Validation images never vary, so the head is measured on their cached features.

    Args:
        dataset: directory of the images, from the stage `split`.
        manifest: table of the images, from the stage `split`.
        features: directory of the stage `features`.
        preset: directory of the stage `backbone`.
        model: directory to write: model.keras, history.csv, summary.json, summary.txt, live/ and augmented.png (where
            training images vary).
        common: section `common` of params.yaml.
        params: section `feature_extraction_augmented` of params.yaml.

    Raises:
        UserError: the features are turned off or of other classes, or the loss is no longer a number.
    """
    if not params.enabled:
        disable(model, "feature_extraction_augmented")
        return
    require(features, "features", "feature_extraction_augmented")

    # TensorFlow takes seconds to import: a stage that is turned off does without.
    start_tensorflow(common.deterministic)
    import keras

    from stages.lib.arrays import feature_files
    from stages.lib.images.manifest import read_subset, require_classes
    from stages.lib.networks import build as networks
    from stages.lib.training import loop
    from stages.lib.training.epoch_callback import Validate
    from stages.lib.training.image_training import train_on_images
    from stages.lib.training.run import start_run

    train = read_subset(dataset, manifest, "train")
    validation = feature_files.read(features, "validation")
    require_classes(train, feature_files.read_about(features)[0], features)

    def build(precision: Precision) -> keras.Model:
        stack = networks.head_layers(params.units, params.activation, params.dropout, len(train.classes))
        return networks.transfer_model(preset, stack, common.pixels, precision)

    def validate(network: keras.Model) -> Validate:
        head = networks.head_of(network)
        return loop.validate_on(head, validation.vectors, validation.labels, common.batch_size, params.class_weights)

    run = start_run("feature_extraction_augmented", common, params, [Path(__file__), manifest, features, preset])
    # The head is validated on features, so training images are resized as theirs were.
    train_on_images(run, build, train, validate, model, feature_files.read_resizing(features))


if __name__ == "__main__":
    entry.run(feature_extraction_augmented)
