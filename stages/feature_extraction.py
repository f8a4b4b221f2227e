"""A head trained on cached features of a frozen backbone; saved as one model that takes images."""

from pathlib import Path

from stages.lib.core import entry
from stages.lib.core.model_sections import FeatureExtractionParams
from stages.lib.core.outputs import disable, require
from stages.lib.core.params import CommonParams
from stages.lib.networks.startup import start_tensorflow


def feature_extraction(
    features: Path, preset: Path, model: Path, common: CommonParams, params: FeatureExtractionParams
) -> None:
    """Train the head on the features of the training images, and save it on top of its backbone.

    Args:
        features: directory of the stage `features`.
        preset: directory of the stage `backbone`.
        model: directory to write: model.keras, history.csv, summary.json, summary.txt and live/.
        common: section `common` of params.yaml.
        params: section `feature_extraction` of params.yaml.

    Raises:
        UserError: the features are turned off, or the loss is no longer a number.
    """
    if not params.enabled:
        disable(model, "feature_extraction")
        return
    require(features, "features", "feature_extraction")

    # TensorFlow takes seconds to import: a stage that is turned off does without.
    start_tensorflow(common.deterministic)
    import keras

    from stages.lib.arrays import feature_files
    from stages.lib.networks import build
    from stages.lib.training import artifact, loop
    from stages.lib.training.class_weights import class_weights
    from stages.lib.training.run import start_run

    keras.utils.set_random_seed(common.seed)
    classes, precision = feature_files.read_about(features)
    train, validation = (feature_files.read(features, subset) for subset in ("train", "validation"))
    stack = build.head_layers(params.units, params.activation, params.dropout, len(classes))
    head = build.head(stack, train.vectors.shape[1])
    run = start_run("feature_extraction", common, params, [Path(__file__), features])
    weights = class_weights(train.labels, params.class_weights)
    validate = loop.validate_on(head, validation.vectors, validation.labels, common.batch_size, weights)
    history = loop.train(run, head, train.vectors, train.labels, validate)
    whole = build.transfer_model(preset, stack, common.pixels, precision)
    artifact.write(run, model, whole, classes, history, precision, feature_files.read_resizing(features))


if __name__ == "__main__":
    entry.run(feature_extraction)
