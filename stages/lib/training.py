"""The one training loop: an epoch at a time, measured on the validation pictures, resumed where it stopped."""

import math
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from dvclive import Live
from rich.console import Console
from rich.progress import Progress
from scmrepo.exceptions import SCMError

from stages.lib import devices, networks
from stages.lib.batches import validation_batches
from stages.lib.checkpoints import Checkpoints
from stages.lib.chunks import parts
from stages.lib.class_weights import class_weights
from stages.lib.errors import UserError
from stages.lib.params import TrainingParams
from stages.lib.precision import Step
from stages.lib.rows import Array

Batches = Callable[[range], tf.data.Dataset]
Measure = Callable[[], dict[str, float]]


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
        measure: gives "loss" and "accuracy" of the model as it is now on the validation pictures.

    Returns:
        A row per epoch: epoch (from 1), loss, accuracy, val_loss, val_accuracy.

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


def measure_on(model: keras.Model, inputs: Array, labels: np.ndarray, batch_size: int) -> Measure:
    """A function that gives "loss" and "accuracy" of the model as it is when the function is called.

    Args:
        inputs: pictures uint8 (count, height, width, channels) in [0, 255], or vectors float32 (count, channels).
        labels: int64 (count,).
    """
    view = keras.Model(model.input, model.output)
    view.compile(loss=_loss(model), metrics=["accuracy"])
    batches = validation_batches(inputs, labels, devices.measured(len(labels), batch_size))
    return lambda: view.evaluate(batches, verbose=0, return_dict=True)


def best_epoch(history: pd.DataFrame) -> int:
    """The epoch, from 1, with the lowest validation loss; the first of equals."""
    return int(history["epoch"].iloc[int(history["val_loss"].argmin())])


def should_stop(history: pd.DataFrame, early_stopping: int | None) -> bool:
    """Whether `early_stopping` epochs have passed without a lower validation loss."""
    if early_stopping is None or history.empty:
        return False
    return len(history) - best_epoch(history) >= early_stopping


class Journal(keras.callbacks.Callback):
    """After each epoch: measures, writes the row down, saves the state, shows progress, decides whether to stop."""

    def __init__(
        self,
        stage: str,
        params: TrainingParams,
        steps: int,
        seed: int,
        measure: Measure,
        checkpoints: Checkpoints,
        history: pd.DataFrame | None,
    ) -> None:
        """Go on after `history`, or start with nothing."""
        super().__init__()
        self.stage, self.training, self.steps, self.seed = stage, params, steps, seed
        self.measure, self.checkpoints = measure, checkpoints
        columns = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
        self.history = pd.DataFrame(columns=columns) if history is None else history
        self.console = Console(soft_wrap=True)
        self.live = _live(live_directory(checkpoints))
        for _, row in self.history.iterrows():
            self._log({str(name): value for name, value in row.items()})

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the random sequences of the epoch, which depend on nothing before it."""
        for place, layer in enumerate(self.model._flatten_layers()):
            if isinstance(getattr(layer, "seed_generator", None), keras.random.SeedGenerator):
                layer.seed_generator.state.assign([self.seed + place, epoch * self.steps * parts(self.model)])
        self.progress = Progress(console=self.console, transient=True, disable=not self.console.is_terminal)
        self.bar = self.progress.add_task(f"{self.stage} epoch {epoch + 1}/{self.training.epochs}", total=self.steps)
        self.progress.start()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Move the progress bar on."""
        self.progress.advance(self.bar)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Measure, and keep what an interruption must not lose."""
        self.progress.stop()
        trained, validated = logs or {}, self.measure()
        row = {"epoch": epoch + 1} | {name: float(trained[name]) for name in ("loss", "accuracy")}
        row |= {f"val_{name}": float(validated[name]) for name in ("loss", "accuracy")}
        if not (math.isfinite(row["loss"]) and math.isfinite(row["val_loss"])):
            raise UserError(
                f"{self.stage}: the loss is not a number after epoch {epoch + 1}: "
                f"expected a smaller {self.stage}.learning_rate. Received: {self.training.learning_rate}"
            )
        new = pd.DataFrame([row])
        self.history = new if self.history.empty else pd.concat([self.history, new], ignore_index=True)
        best = best_epoch(self.history) == epoch + 1
        self.checkpoints.save(self.model, self.history, best)
        self._log(row)
        figures = "  ".join(f"{name} {row[name]:.4f}" for name in ("loss", "accuracy", "val_loss", "val_accuracy"))
        print(f"epoch {epoch + 1:3}/{self.training.epochs}  {figures}{'  best' if best else ''}", flush=True)
        self.model.stop_training = should_stop(self.history, self.training.early_stopping)

    def _log(self, row: dict[str, float]) -> None:
        for name in ("loss", "accuracy"):
            self.live.log_metric(f"train/{name}", row[name])
            self.live.log_metric(f"validation/{name}", row[f"val_{name}"])
        self.live.next_step()


def live_directory(checkpoints: Checkpoints) -> Path:
    """Where DVCLive writes while the training runs."""
    return checkpoints.directory / "live"


def _live(directory: Path) -> Live:
    try:
        return Live(str(directory), dvcyaml=None, save_dvc_exp=False, report=None)
    except SCMError as error:
        raise UserError(f"git: expected a repository with a commit ({error}); commit the project, run again") from None


def _loss(model: keras.Model) -> keras.losses.Loss:
    # One sigmoid unit stands for two classes.
    return networks.loss(max(2, model.output_shape[-1]))
