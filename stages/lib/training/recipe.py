"""What a training may do besides the plain steps of Adam."""

from dataclasses import dataclass, field
from typing import Literal

from stages.lib.core.model_sections import FineTunedParams


@dataclass(frozen=True)
class Recipe:
    """How the steps of a training become the weights that are kept; `PLAIN` is what most trainings do.

    Attributes:
        optimizer: "adam", or "adamw" with decay of the weights apart from the gradient (Loshchilov & Hutter 2019).
        weight_decay: of "adamw", in each step a share of the learning rate; no norm, bias or scale decays.
        warmup: share of the steps in which the learning rate grows from 0.
        averaged: epochs over which the weights that are validated and kept are averaged; None keeps them as they are.
        moved: how far from the weights before the training to those after it the kept ones lie, in (0, 1].
        keep: the epoch with the lowest validation loss, or the last one.
        rates: share of the learning rate by the identity of a variable; 1 for all others.
    """

    optimizer: Literal["adam", "adamw"] = "adam"
    weight_decay: float = 0.0
    warmup: float = 0.0
    averaged: int | None = None
    moved: float = 1.0
    keep: Literal["best", "last"] = "best"
    rates: dict[int, float] = field(default_factory=dict)


PLAIN = Recipe()


def of(params: FineTunedParams, rates: dict[int, float]) -> Recipe:
    """The recipe that section `fine_tuned` asks for, with the rates of the layers."""
    return Recipe(
        params.optimizer, params.weight_decay, params.warmup, params.averaged_epochs, params.moved, params.keep, rates
    )
