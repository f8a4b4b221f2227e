"""What is written down after each epoch of a training: figures for people and tables, and the state to go on from."""

import math
from collections.abc import Callable
from pathlib import Path

import keras
import pandas as pd
from dvclive import Live
from rich.console import Console
from rich.progress import Progress
from scmrepo.exceptions import SCMError

from stages.lib.core.errors import UserError
from stages.lib.core.params import TrainingParams
from stages.lib.training.checkpoints import Checkpoints
from stages.lib.training.chunks import parts

Measure = Callable[[], dict[str, float]]


def best_epoch(history: pd.DataFrame) -> int:
    """The epoch, from 1, with the lowest validation loss, weighted where the training's is; the first of equals."""
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
