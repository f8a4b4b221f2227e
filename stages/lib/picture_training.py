"""Train a network on the pictures of a dataset and write what a trained model leaves."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras

from stages.lib import artifact, batches, devices, saved_model, training
from stages.lib.checkpoints import Checkpoints
from stages.lib.decoded import decode_all
from stages.lib.fusion import fuse
from stages.lib.manifest import Subset
from stages.lib.params import CommonParams, PictureTrainingParams, Precision
from stages.lib.precision import Step, choose


def train_on_pictures(
    stage: str,
    build: Callable[[Precision], keras.Model],
    train: Subset,
    validation: Subset | Callable[[keras.Model], training.Measure],
    common: CommonParams,
    params: PictureTrainingParams,
    inputs: Sequence[Path],
    model: Path,
) -> None:
    """Train, keep the best epoch on the validation pictures, and write it to the directory `model`.

    Args:
        build: builds the network, with random weights or not, in a precision; no batch normalisation in it trains.
        validation: pictures, or another way to measure the network on them.
        inputs: files and directories that the result depends on.

    Raises:
        UserError: a picture cannot be decoded, or the loss is no longer a number.
    """
    checkpoints = Checkpoints(stage, [common, params], inputs)
    precision = _precision(stage, build, common, params, checkpoints)
    with devices.sharing(common.batch_size):
        _train(stage, build, train, validation, common, params, checkpoints, precision, model)


def _train(
    stage: str,
    build: Callable[[Precision], keras.Model],
    train: Subset,
    validation: Subset | Callable[[keras.Model], training.Measure],
    common: CommonParams,
    params: PictureTrainingParams,
    checkpoints: Checkpoints,
    precision: Precision,
    model: Path,
) -> None:
    keras.utils.set_random_seed(common.seed)
    network = build(precision)
    trained = fuse(network)
    image_size, color = saved_model.input_of(network)
    pictures = decode_all(train.paths, image_size, color, checkpoints.directory / "train.npy")
    if isinstance(validation, Subset):
        held_out = decode_all(validation.paths, image_size, color, checkpoints.directory / "validation.npy")
        measure = training.measure_on(trained, held_out, validation.labels, common.batch_size)
    else:
        measure = validation(network)
    history = training.train(
        trained,
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
    artifact.write(model, network, train.classes, history, precision, checkpoints, sheet)


def _precision(
    stage: str,
    build: Callable[[Precision], keras.Model],
    common: CommonParams,
    params: PictureTrainingParams,
    checkpoints: Checkpoints,
) -> Precision:
    def step_in(precision: Precision) -> Step:
        return training.step_of(fuse(build(precision)), params, common.batch_size)

    # Not chosen again where a training goes on: another precision would be another training.
    return checkpoints.once("precision", lambda: choose(stage, params.precision, step_in))
