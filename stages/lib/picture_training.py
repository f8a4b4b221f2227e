"""Train a network on the pictures of a dataset and write what a trained model leaves."""

from collections.abc import Sequence
from pathlib import Path

import keras

from stages.lib import artifact, batches, saved_model, training
from stages.lib.checkpoints import Checkpoints
from stages.lib.manifest import Subset
from stages.lib.params import CommonParams, PictureTrainingParams
from stages.lib.pictures import decode_all


def train_on_pictures(
    stage: str,
    network: keras.Model,
    train: Subset,
    validation: Subset | training.Measure,
    common: CommonParams,
    params: PictureTrainingParams,
    inputs: Sequence[Path],
    model: Path,
) -> None:
    """Train, keep the best epoch on the validation pictures, and write it to the directory `model`.

    Args:
        validation: pictures, or another way to measure the network on them.
        inputs: files and directories that the result depends on.

    Raises:
        UserError: a picture cannot be decoded, or the loss is no longer a number.
    """
    image_size, color = saved_model.input_of(network)
    checkpoints = Checkpoints(stage, [common, params], inputs)
    pictures = decode_all(train.paths, image_size, color, checkpoints.directory / "train.npy")
    if isinstance(validation, Subset):
        held_out = decode_all(validation.paths, image_size, color, checkpoints.directory / "validation.npy")
        measure = training.measure_on(network, held_out, validation.labels, common.batch_size)
    else:
        measure = validation
    history = training.train(
        network,
        lambda epochs: batches.training_batches(
            pictures, train.labels, common.batch_size, common.seed, epochs, params.augmentation
        ),
        batches.steps(len(pictures), common.batch_size),
        train.labels,
        measure,
        params,
        stage,
        common.seed,
        checkpoints,
    )
    sheet = None if params.augmentation is None else (pictures[0], params.augmentation, common.seed)
    artifact.write(model, network, train.classes, history, params.precision, checkpoints, sheet)
