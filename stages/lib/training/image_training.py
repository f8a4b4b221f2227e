"""Train a network on the images of a dataset and write what a trained model leaves."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from stages.lib.arrays.decoded import decode_all
from stages.lib.arrays.rows import Array
from stages.lib.core.params import ImageTrainingParams, Precision
from stages.lib.images.manifest import Subset
from stages.lib.images.resizing import Resizing
from stages.lib.networks import saved_model
from stages.lib.networks.fusion import COMPARED, faithful, fuse
from stages.lib.networks.precision import Step, choose
from stages.lib.training import artifact, devices, loop
from stages.lib.training.chunks import images_at_once, in_chunks
from stages.lib.training.epoch_callback import Validate
from stages.lib.training.fine_tuning import PLAINLY, FineTuning
from stages.lib.training.run import TrainingRun

Build = Callable[[Precision], keras.Model]


def train_on_images(
    run: TrainingRun[ImageTrainingParams],
    build: Build,
    train: Subset,
    validation: Subset | Callable[[keras.Model], Validate],
    model: Path,
    resizing: Resizing,
    fine_tuning: FineTuning = PLAINLY,
) -> None:
    """Train, keep the best epoch on the validation images, and write it to the directory `model`.

    Args:
        run: the training.
        build: builds the network, with random weights or not, in a precision; no batch normalisation in it trains.
        train: the training images.
        validation: images, or another way to validate the network.
        model: the directory to write.
        resizing: how images get the size of the network.
        fine_tuning: what is done besides plain steps.

    Raises:
        UserError: an image cannot be decoded, or the loss is no longer a number.
    """
    common, params, checkpoints = run.common, run.params, run.checkpoints
    # Not chosen again where a training goes on: another precision would be another training.
    precision = checkpoints.once("precision", lambda: fitting_precision(run.stage, build, params, common.batch_size))
    with devices.sharing(common.batch_size):
        keras.utils.set_random_seed(common.seed)
        network = build(precision)
        image_size, color = saved_model.input_of(network)
        images = decode_all(train.paths, image_size, color, checkpoints.directory / "train.npy", resizing)
        trained = trained_view(network, precision, common.batch_size, images)
        if isinstance(validation, Subset):
            overflow = checkpoints.directory / "validation.npy"
            held_out = decode_all(validation.paths, image_size, color, overflow, resizing)
            validate = loop.validate_on(trained, held_out, validation.labels, common.batch_size, params.class_weights)
        else:
            validate = validation(network)
        recipe = fine_tuning.recipe(network)
        history = loop.train(run, trained, images, train.labels, validate, params.augmentation, recipe)
        saved = fine_tuning.finished(network)
        augmented = None if params.augmentation is None else (images[0], params.augmentation)
        artifact.write(run, model, saved, train.classes, history, precision, resizing, augmented, trained=network)


def trained_view(network: keras.Model, precision: Precision, batch_size: int, images: Array) -> keras.Model:
    """The view of a network through which it is trained, on the same weights; tried on `images` (`faithful`).

    Args:
        network: built, not compiled.
        precision: of the computation.
        batch_size: images per training step.
        images: uint8 (count, height, width, channels) in [0, 255]; the first few are tried.

    Returns:
        To be compiled and fitted; training it changes the weights of `network`.
    """
    image_size, _ = saved_model.input_of(network)
    view, _ = faithful(network, images[np.arange(min(COMPARED, len(images)))])
    return in_chunks(view, batch_size, images_at_once(image_size, precision))


def fitting_precision(stage: str, build: Build, params: ImageTrainingParams, batch_size: int) -> Precision:
    """The precision that the parameters ask for, or the one in which steps of this training are fast.

    Args:
        stage: name of the stage, for what is printed.
        build: builds the network in a precision.
        params: section of the stage, with the precision that is asked for.
        batch_size: images per training step.
    """

    def step_in(precision: Precision) -> Step:
        network = build(precision)
        image_size, _ = saved_model.input_of(network)
        most, at_once = (images_at_once(image_size, one) or batch_size for one in ("mixed_bfloat16", precision))
        # As many images in both precisions, and no more in memory than in training.
        return loop.step_of(fuse(network), min(batch_size, most), min(batch_size, at_once))

    return choose(stage, params.precision, step_in)
