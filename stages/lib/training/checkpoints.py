"""Where an interrupted training goes on: its state after the last complete epoch, outside what DVC tracks."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar, cast

import keras
import numpy as np
import pandas as pd

from safety.checksums import checksum
from stages.lib.core.outputs import atomic_directory, atomic_file, remove
from stages.lib.core.params import Params
from stages.lib.networks import lora
from stages.lib.training.kept_weights import KeptWeights

ROOT = Path(".smallset/training")
Choice = TypeVar("Choice", bound=str)
# Packages that shape a training; its own module is one of its inputs. An edit elsewhere loses nothing.
DECIDING = (
    "smallset/images",
    "smallset/outputs.py",
    "stages/lib/arrays",
    "stages/lib/features",
    "stages/lib/images",
    "stages/lib/inference",
    "stages/lib/networks",
    "stages/lib/training",
)
LIBRARIES = ("tensorflow", "keras", "keras-hub", "pillow", "pi-heif")
_STATE, _BEST, _ADAPTED, _HISTORY = "state.weights.h5", "best.weights.h5", "adapted.npz", "history.csv"


class Checkpoints:
    """States of one training, named after everything that decides its result.

    A changed parameter, input, source file or library version names another training, which starts from nothing.
    """

    def __init__(self, stage: str, sections: Sequence[Params], inputs: Sequence[Path]) -> None:
        """Find the directory of this training; states of other trainings of the stage are removed.

        Args:
            stage: its name.
            sections: of params.yaml, on which the result depends.
            inputs: files and directories that the result depends on, with the module of the stage.
        """
        name = f"{stage}-{_fingerprint(sections, inputs)}"
        for other in ROOT.glob(f"{stage}-*"):
            # Another stage's name may start the same: only the fingerprint follows the last dash.
            if other.name.rpartition("-")[0] == stage and other.name != name:
                remove(other)
        self.directory = ROOT / name
        self.directory.mkdir(parents=True, exist_ok=True)

    def once(self, name: str, find: Callable[[], Choice]) -> Choice:
        """What `find` finds, found once for the whole training, however often it is interrupted."""
        file = self.directory / f"{name}.txt"
        if not file.is_file():
            with atomic_file(file) as partial:
                partial.write_text(find(), encoding="utf-8")
        return cast("Choice", file.read_text(encoding="utf-8"))

    def save(self, kept: KeptWeights, history: pd.DataFrame, best: bool) -> None:
        """Keep the state after an epoch, whole or not at all; the state before it is removed.

        Args:
            kept: the model, and the weights of it that are kept.
            history: a row per complete epoch.
            best: this epoch's weights are the ones to keep in the end.
        """
        previous = self._latest()
        with atomic_directory(self.directory / f"epoch-{len(history):05d}") as partial:
            kept.model.save_weights(partial / _STATE)
            np.savez(partial / _ADAPTED, allow_pickle=False, **lora.parts(kept.model))
            if best and not kept.as_trained:
                with kept.in_place():
                    kept.model.save_weights(partial / _BEST)
            else:
                source = partial if best or previous is None else previous
                shutil.copyfile(source / (_STATE if best else _BEST), partial / _BEST)
            history.to_csv(partial / _HISTORY, index=False)
        if previous is not None:
            remove(previous)

    def restore(self, model: keras.Model) -> pd.DataFrame | None:
        """Bring a compiled model to its latest state; None if there is none, else a row per complete epoch."""
        latest = self._latest()
        if latest is None:
            return None
        model.optimizer.build(model.trainable_variables)
        model.load_weights(latest / _STATE)
        lora.set_parts(model, dict(np.load(latest / _ADAPTED)))
        return pd.read_csv(latest / _HISTORY)

    def restore_best(self, model: keras.Model) -> None:
        """Bring a model to the best epoch."""
        latest = self._latest()
        assert latest is not None, "no epoch was trained"
        model.load_weights(latest / _BEST)

    def remove(self) -> None:
        """Forget this training: its result is safe."""
        remove(self.directory)

    def _latest(self) -> Path | None:
        return max(self.directory.glob("epoch-*"), default=None)


def _fingerprint(sections: Sequence[Params], inputs: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for section in sections:
        # A word where a number is usual (`params.or_word`) is no mistake here.
        digest.update(json.dumps(section.model_dump(warnings=False), sort_keys=True).encode())
    for library in LIBRARIES:
        digest.update(version(library).encode())
    packages = [Path(__file__).parents[3] / name for name in DECIDING]
    for root in (*packages, *inputs):
        for file in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if file.is_file() and file.suffix != ".pyc":
                digest.update(file.relative_to(root).as_posix().encode())
                digest.update(checksum(file).encode())
    return digest.hexdigest()[:16]
