"""Which weights are validated and kept after an epoch: those of the training, a mean of them, or a mix with the start.

Halfway between a model and what fine-tuning makes of it lies one that is right about as often as the latter and as
little overconfident as the former (WiSE-FT, Wortsman et al. 2022).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np

from stages.lib.training.recipe import Recipe


class KeptWeights:
    """The weights of a training as they are kept."""

    def __init__(self, model: keras.Model, recipe: Recipe) -> None:
        """Remember the weights before the training.

        Args:
            model: compiled, with the weights that it had before its first epoch.
            recipe: whether weights are averaged, and how far they move.
        """
        self.model, self.recipe = model, recipe
        self.start = [] if recipe.moved == 1 else [one.numpy() for one in model.trainable_variables]

    @property
    def as_trained(self) -> bool:
        """Whether the weights of the training are kept as they are."""
        return self.recipe.averaged is None and not self.start

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """A block in which the model has the weights that are kept; after it, those of the training again."""
        if self.as_trained:
            yield
            return
        variables = self.model.trainable_variables
        trained = [one.numpy() for one in variables]
        for variable, value in zip(variables, self._kept(trained), strict=True):
            variable.assign(value)
        try:
            yield
        finally:
            for variable, value in zip(variables, trained, strict=True):
                variable.assign(value)

    def _kept(self, trained: list[np.ndarray]) -> list[np.ndarray]:
        if self.recipe.averaged is not None:
            trained = [one.numpy() for one in self.model.optimizer._model_variables_moving_average]
        if not self.start:
            return trained
        # The first matrix of LoRA stays: the product that is added to a kernel then moves as far as a kernel would.
        shares = [1.0 if one.name == "lora_kernel_a" else self.recipe.moved for one in self.model.trainable_variables]
        return [
            before + share * (after - before) for before, after, share in zip(self.start, trained, shares, strict=True)
        ]
