"""A head on cached features of a frozen backbone, fitted or trained; saved as one model that takes images."""

from pathlib import Path
from typing import TYPE_CHECKING

from stages.lib.core import entry
from stages.lib.core.model_sections import FeatureExtractionParams
from stages.lib.core.outputs import disable, require
from stages.lib.core.params import CommonParams
from stages.lib.networks.startup import start_tensorflow

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from stages.lib.arrays.feature_files import FeatureSet
    from stages.lib.training.run import TrainingRun


def feature_extraction(
    features: Path,
    manifest: Path,
    duplicates: Path,
    preset: Path,
    model: Path,
    common: CommonParams,
    params: FeatureExtractionParams,
) -> None:
    """Fit or train the head on the features of the training images, and save it on top of its backbone.

    Args:
        features: directory of the stage `features`.
        manifest: table of the images, from the stage `split`: images of a group stay in one fold.
        duplicates: table of copies, from the stage `split`: so do copies.
        preset: directory of the stage `backbone`.
        model: directory to write: model.keras, history.csv, summary.json and summary.txt; of a fitted head
            strengths.csv, of a trained one live/.
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
    from stages.lib.arrays import feature_files
    from stages.lib.heads.choice import choose
    from stages.lib.heads.keras_head import whole_model
    from stages.lib.splitting.together import groups_of
    from stages.lib.training import artifact
    from stages.lib.training.history import empty_history
    from stages.lib.training.run import start_run

    classes, precision = feature_files.read_about(features)
    train = feature_files.read(features, "train")
    groups = groups_of(train.names, manifest, duplicates)
    run = start_run("feature_extraction", common, params, [Path(__file__), features])
    found = choose(train, groups, len(classes), common, params)
    if found.head is None:
        whole, history = _trained(run, train, features, preset)
        tables = {}
    else:
        # Fitted at once: without epochs, so its history has no row.
        whole, history = whole_model(preset, found.head, common.pixels, precision), empty_history()
        tables = {} if found.strengths is None else {"strengths": found.strengths}
    resizing = feature_files.read_resizing(features)
    artifact.write(run, model, whole, classes, history, precision, resizing, head=found.about, tables=tables)


def _trained(
    run: "TrainingRun[FeatureExtractionParams]", train: "FeatureSet", features: Path, preset: Path
) -> "tuple[keras.Model, pd.DataFrame]":
    """The whole model with a trained head, at the best epoch on the validation images; and the history."""
    import keras

    from stages.lib.arrays import feature_files
    from stages.lib.networks import build
    from stages.lib.training import loop

    common, params = run.common, run.params
    keras.utils.set_random_seed(common.seed)
    classes, precision = feature_files.read_about(features)
    validation = feature_files.read(features, "validation")
    stack = build.head_layers(params.units, params.activation, params.dropout, len(classes))
    head = build.head(stack, train.vectors.shape[1])
    validate = loop.validate_on(head, validation.vectors, validation.labels, common.batch_size, params.class_weights)
    history = loop.train(run, head, train.vectors, train.labels, validate)
    return build.transfer_model(preset, stack, common.pixels, precision), history


if __name__ == "__main__":
    entry.run(feature_extraction)
