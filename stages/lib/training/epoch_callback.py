"""What happens around each epoch of a training; every job is done by a module of its own."""

import math
from collections.abc import Callable

import keras
import pandas as pd
from dvclive import Live

from stages.lib.core.errors import UserError
from stages.lib.core.params import TrainingParams
from stages.lib.training.epoch_bar import EpochBar
from stages.lib.training.history import kept_epoch, should_stop, with_epoch
from stages.lib.training.kept_weights import KeptWeights
from stages.lib.training.live import log_epoch
from stages.lib.training.random_sequences import start_random_sequences
from stages.lib.training.run import TrainingRun

# Gives "loss" and "accuracy" of the network, as it is when called, on the validation images.
Validate = Callable[[], dict[str, float]]


class EpochCallback(keras.callbacks.Callback):
    """Validates after each epoch, saves the state, records the epoch, and decides whether to stop.

    Attributes:
        history: a row per complete epoch, as `history.COLUMNS`.
    """

    def __init__(
        self,
        run: TrainingRun[TrainingParams],
        steps: int,
        validate: Validate,
        history: pd.DataFrame,
        live: Live,
        bar: EpochBar,
        kept: KeptWeights,
    ) -> None:
        """Go on after the epochs of `history`, which may be empty.

        Args:
            run: the training.
            steps: training steps of one epoch.
            validate: measures the network after each epoch.
            history: a row per epoch that is complete already.
            live: curves; they begin with the epochs of `history`.
            bar: the progress within an epoch.
            kept: the weights that are validated and kept.
        """
        super().__init__()
        self.run, self.steps, self.validate = run, steps, validate
        self.history, self.live, self.bar, self.kept = history, live, bar, kept
        for _, row in history.iterrows():
            log_epoch(live, {str(name): value for name, value in row.items()})

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the random sequences of the epoch, which depend on nothing before it, and its bar."""
        start_random_sequences(self.model, self.run.common.seed, epoch * self.steps)
        self.bar.start(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Move the progress bar on."""
        self.bar.advance()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Validate, and keep what an interruption must not lose.

        Raises:
            UserError: the loss is no longer a number.
        """
        self.bar.stop()
        with self.kept.in_place():
            row = self._row(epoch + 1, logs or {})
        self._require_finite(row)
        self.history = with_epoch(self.history, row)
        best = kept_epoch(self.history, self.kept.recipe.keep) == epoch + 1
        self.run.checkpoints.save(self.kept, self.history, best)
        log_epoch(self.live, row)
        self._print(row, best and self.kept.recipe.keep == "best")
        self.model.stop_training = should_stop(self.history, self.run.params.early_stopping)

    def _row(self, epoch: int, trained: dict[str, float]) -> dict[str, float]:
        validated = self.validate()
        row = {"epoch": epoch} | {name: float(trained[name]) for name in ("loss", "accuracy")}
        return row | {f"val_{name}": float(validated[name]) for name in ("loss", "accuracy")}

    def _require_finite(self, row: dict[str, float]) -> None:
        if not (math.isfinite(row["loss"]) and math.isfinite(row["val_loss"])):
            stage = self.run.stage
            raise UserError(
                f"{stage}: the loss is not a number after epoch {row['epoch']}: "
                f"expected a smaller {stage}.learning_rate. Received: {self.run.params.learning_rate}"
            )

    def _print(self, row: dict[str, float], best: bool) -> None:
        # Within 80 columns, from which `flows/terminal` reads how far the training is.
        losses = f"loss {row['loss']:.4f} (validation {row['val_loss']:.4f})"
        accuracies = f"accuracy {row['accuracy']:.3f} ({row['val_accuracy']:.3f})"
        epoch = f"epoch {row['epoch']:3}/{self.run.params.epochs}"
        print(f"{epoch}  {losses}, {accuracies}{', best' if best else ''}", flush=True)
