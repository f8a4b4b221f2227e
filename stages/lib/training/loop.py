"""The one training loop: an epoch at a time, measured on the validation pictures, resumed where it stopped."""

from collections.abc import Callable, Mapping

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from stages.lib.arrays.rows import Array
from stages.lib.core.params import TrainingParams
from stages.lib.networks import build
from stages.lib.networks.precision import Step
from stages.lib.training import devices
from stages.lib.training.batches import validation_batches
from stages.lib.training.checkpoints import Checkpoints
from stages.lib.training.class_weights import class_weights, picture_weights
from stages.lib.training.journal import Journal, Measure, should_stop

Batches = Callable[[range], tf.data.Dataset]


def train(
    model: keras.Model,
    batches: Batches,
    steps: int,
    labels: np.ndarray,
    measure: Measure,
    params: TrainingParams,
    stage: str,
    seed: int,
    checkpoints: Checkpoints,
) -> pd.DataFrame:
    """Train a model and leave it at the epoch with the lowest validation loss.

    Args:
        model: built, not compiled.
        batches: gives the training batches of a range of epochs, `steps` of them an epoch.
        labels: int64 (pictures,), of the training pictures.
        measure: gives "loss" and "accuracy" of the model as it is now on the validation pictures; the loss weighs
            classes as the training does.

    Returns:
        A row per epoch: epoch (from 1), loss, accuracy, val_loss, val_accuracy. The losses are those that class
        weights weigh, where there are any, the accuracies never.

    Raises:
        UserError: the loss is no longer a number.
    """
    compile_for(model, params, steps)
    history = checkpoints.restore(model)
    if history is not None:
        print(f"{stage}: goes on after epoch {len(history)} of {params.epochs}")
    journal = Journal(stage, params, steps, seed, measure, checkpoints, history)
    done = len(journal.history)
    if done < params.epochs and not should_stop(journal.history, params.early_stopping):
        epochs = range(done, params.epochs)
        model.fit(
            batches(epochs),
            steps_per_epoch=steps,
            initial_epoch=done,
            epochs=params.epochs,
            callbacks=[journal],
            class_weight=class_weights(labels, params.class_weights),
            shuffle=False,
            verbose=0,
        )
    checkpoints.restore_best(model)
    return journal.history


def compile_for(model: keras.Model, params: TrainingParams, steps: int) -> None:
    """Compile a model as `train` does, for epochs of so many steps."""
    rate = params.learning_rate
    if params.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, decay_steps=params.epochs * steps)
    model.compile(keras.optimizers.Adam(rate), _loss(model), metrics=["accuracy"])


def step_of(model: keras.Model, pictures: int, at_once: int) -> Step:
    """A function that finds the gradients of a model, built and not compiled, on noise: what a step costs.

    Without the optimizer, whose weights and graph TensorFlow would keep for as long as the process lives.
    """
    model.compile(loss=_loss(model))
    noise = np.random.default_rng(0).uniform(0, 255, (at_once, *model.input_shape[1:]))
    inputs, labels = tf.constant(noise, tf.float32), tf.zeros(at_once, tf.int64)

    @tf.function
    def gradients() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = model.compute_loss(inputs, labels, model(inputs, training=True))
        return tape.gradient(loss, [weight.value for weight in model.trainable_weights])

    return lambda: [gradients() for _ in range(-(-pictures // at_once))]


def measure_on(
    model: keras.Model, inputs: Array, labels: np.ndarray, batch_size: int, weights: Mapping[int, float] | None = None
) -> Measure:
    """A function that gives "loss" and "accuracy" of the model as it is when the function is called.

    Args:
        inputs: pictures uint8 (count, height, width, channels) in [0, 255], or vectors float32 (count, channels).
        labels: int64 (count,).
        weights: of the classes in the loss, as in training; the accuracy counts every picture the same.
    """
    view = keras.Model(model.input, model.output)
    view.compile(loss=_loss(model), metrics=["accuracy"])
    each = picture_weights(labels, weights)
    batches = validation_batches(inputs, labels, devices.measured(len(labels), batch_size), each)
    return lambda: view.evaluate(batches, verbose=0, return_dict=True)


def _loss(model: keras.Model) -> keras.losses.Loss:
    # One sigmoid unit stands for two classes.
    return build.loss(max(2, model.output_shape[-1]))
