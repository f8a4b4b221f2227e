"""The one training loop: an epoch at a time, measured on the validation images, resumed where it stopped."""

from typing import Literal

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from safety.words import counted
from stages.lib.arrays.rows import Array
from stages.lib.core.params import AugmentationParams, TrainingParams
from stages.lib.networks import build
from stages.lib.networks.precision import Step
from stages.lib.training import devices
from stages.lib.training.batches import passes, training_batches, validation_batches
from stages.lib.training.batches import steps as steps_of
from stages.lib.training.class_weights import class_weights, image_weights
from stages.lib.training.epoch_bar import EpochBar
from stages.lib.training.epoch_callback import EpochCallback, Validate
from stages.lib.training.history import empty_history, should_stop
from stages.lib.training.kept_weights import KeptWeights
from stages.lib.training.live import open_live
from stages.lib.training.optimizers import optimizer_of
from stages.lib.training.recipe import PLAIN, Recipe
from stages.lib.training.run import TrainingRun


def train(
    run: TrainingRun[TrainingParams],
    model: keras.Model,
    inputs: Array,
    labels: np.ndarray,
    validate: Validate,
    augmentation: AugmentationParams | None = None,
    recipe: Recipe = PLAIN,
) -> pd.DataFrame:
    """Train a model and leave it at the epoch with the lowest validation loss, or as the recipe says.

    Args:
        run: the training; it goes on after the last epoch that its checkpoints hold.
        model: built, not compiled.
        inputs: training images uint8 (count, height, width, channels) in [0, 255], or vectors float32 (count,
            channels).
        labels: int64 (count,), of the training images.
        validate: gives "loss" and "accuracy" of the model on the validation images; every class counts the same in its
            loss where it does in training.
        augmentation: how training images vary; None trains on them as they are.
        recipe: what is done besides plain steps of Adam.

    Returns:
        A row per epoch: epoch (from 1), loss, accuracy, val_loss, val_accuracy. Losses are cross-entropies in nats,
        with class weights where the training has them; accuracies are shares of images, always without weights.

    Raises:
        UserError: the loss is no longer a number.
    """
    common, params = run.common, run.params
    rounds = passes(len(labels), common.batch_size, params.epochs, params.min_steps)
    steps = rounds * steps_of(len(labels), common.batch_size)
    compile_for(model, params, steps, recipe)
    kept = KeptWeights(model, recipe)
    history = run.checkpoints.restore(model)
    if rounds > 1:
        print(
            f"{run.stage}: {counted(len(labels), 'image')}; an epoch goes over them {rounds} times, so that it has "
            f"{steps} steps"
        )
    if history is not None:
        print(f"{run.stage}: goes on after epoch {len(history)} of {params.epochs}")
    with open_live(run.checkpoints) as live, EpochBar(run.stage, params.epochs, steps) as bar:
        before = empty_history() if history is None else history
        callback = EpochCallback(run, steps, validate, before, live, bar, kept)
        done = len(callback.history)
        if done < params.epochs and not should_stop(callback.history, params.early_stopping):
            model.fit(
                training_batches(
                    inputs,
                    labels,
                    common.batch_size,
                    common.seed,
                    range(done * rounds, params.epochs * rounds),
                    augmentation,
                ),
                steps_per_epoch=steps,
                initial_epoch=done,
                epochs=params.epochs,
                callbacks=[callback],
                class_weight=class_weights(labels, params.class_weights),
                shuffle=False,
                verbose=0,
            )
    run.checkpoints.restore_best(model)
    return callback.history


def compile_for(model: keras.Model, params: TrainingParams, steps: int, recipe: Recipe = PLAIN) -> None:
    """Compile a model as `train` does, for epochs of so many steps.

    Args:
        model: built.
        params: learning rate and its schedule.
        steps: training steps of one epoch.
        recipe: as of `train`.
    """
    model.compile(optimizer_of(params, recipe, steps), _loss(model), metrics=["accuracy"])


def step_of(model: keras.Model, images: int, at_once: int) -> Step:
    """A function that finds the gradients of a model, built and not compiled, on noise: what a step costs.

    Without the optimizer, whose weights and graph TensorFlow would keep for as long as the process lives.

    Args:
        model: takes images; is compiled again.
        images: of one training step.
        at_once: of them that are computed together.
    """
    model.compile(loss=_loss(model))
    noise = np.random.default_rng(0).uniform(0, 255, (at_once, *model.input_shape[1:]))
    inputs, labels = tf.constant(noise, tf.float32), tf.zeros(at_once, tf.int64)

    @tf.function
    def gradients() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = model.compute_loss(inputs, labels, model(inputs, training=True))
        return tape.gradient(loss, [weight.value for weight in model.trainable_weights])

    return lambda: [gradients() for _ in range(-(-images // at_once))]


def validate_on(
    model: keras.Model,
    inputs: Array,
    labels: np.ndarray,
    batch_size: int,
    kind: Literal["balanced"] | None = None,
) -> Validate:
    """A function that gives "loss" and "accuracy" of the model as it is when the function is called.

    Args:
        model: built; its weights are those of the moment at which the function is called.
        inputs: images uint8 (count, height, width, channels) in [0, 255], or vectors float32 (count, channels).
        labels: int64 (count,).
        batch_size: the largest number of images per batch.
        kind: of class weights, that of the training: "balanced" lets every class count the same in the loss, of
            whatever mix these images are; the accuracy counts every image the same.

    Returns:
        A function without arguments; its dictionary has the cross-entropy in nats and the share of images that is
        right.
    """
    view = keras.Model(model.input, model.output)
    view.compile(loss=_loss(model), metrics=["accuracy"])
    each = image_weights(labels, kind)
    batches = validation_batches(inputs, labels, devices.measured(len(labels), batch_size), each)
    return lambda: view.evaluate(batches, verbose=0, return_dict=True)


def _loss(model: keras.Model) -> keras.losses.Loss:
    # One sigmoid unit stands for two classes.
    return build.loss(max(2, model.output_shape[-1]))
