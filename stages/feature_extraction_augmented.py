"""A head trained end to end on varied pictures, the backbone below it frozen."""

from pathlib import Path

from stages.lib.core import entry
from stages.lib.core.outputs import disable, require
from stages.lib.core.params import CommonParams, Precision
from stages.lib.core.sections import FeatureExtractionAugmentedParams
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

    Validation pictures never vary, so the head is measured on their cached features.

    Raises:
        UserError: the features are turned off, or the loss is no longer a number.
    """
    if not params.enabled:
        disable(model, "feature_extraction_augmented")
        return
    require(features, "features", "feature_extraction_augmented")

    # TensorFlow takes seconds to import: a stage that is turned off does without.
    start_tensorflow(common.deterministic)
    import keras

    from stages.lib.arrays import feature_files
    from stages.lib.images.manifest import read_subset
    from stages.lib.networks import build as networks
    from stages.lib.training import loop
    from stages.lib.training.class_weights import class_weights
    from stages.lib.training.journal import Measure
    from stages.lib.training.picture_training import train_on_pictures

    train = read_subset(dataset, manifest, "train")
    validation = feature_files.read(features, "validation")

    def build(precision: Precision) -> keras.Model:
        stack = networks.head_layers(params.units, params.activation, params.dropout, len(train.classes))
        return networks.transfer_model(preset, stack, common.pixels, precision)

    def measure(network: keras.Model) -> Measure:
        head = networks.head_of(network)
        weights = class_weights(train.labels, params.class_weights)
        return loop.measure_on(head, validation.vectors, validation.labels, common.batch_size, weights)

    inputs = [Path(__file__), manifest, features, preset]
    # That of the features on which it is measured.
    resizing = feature_files.read_resizing(features)
    train_on_pictures("feature_extraction_augmented", build, train, measure, common, params, inputs, model, resizing)


if __name__ == "__main__":
    entry.run(feature_extraction_augmented)
