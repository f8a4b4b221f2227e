"""One training as one object: what decides it, and where it goes on after an interruption."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from stages.lib.core.params import CommonParams, TrainingParams
from stages.lib.training.checkpoints import Checkpoints

Training = TypeVar("Training", bound=TrainingParams)
Training_co = TypeVar("Training_co", bound=TrainingParams, covariant=True)


@dataclass(frozen=True)
class TrainingRun(Generic[Training_co]):
    """One training of one stage.

    Attributes:
        stage: name of the stage, and of its section in params.yaml.
        common: seed, batch size, and what else every stage shares.
        params: the section of the stage.
        checkpoints: its states, from which an interrupted training goes on.
    """

    stage: str
    common: CommonParams
    params: Training_co
    checkpoints: Checkpoints


def start_run(stage: str, common: CommonParams, params: Training, inputs: Sequence[Path]) -> TrainingRun[Training]:
    """Begin a training, or find the one that was interrupted.

    Args:
        stage: name of the stage.
        common: section `common` of params.yaml.
        params: section of the stage.
        inputs: files and directories that the result depends on, with the module of the stage.
    """
    return TrainingRun(stage, common, params, Checkpoints(stage, [common, params], inputs))
