"""The optimizer of a training: plain Adam, or one whose rate differs by layer and whose kernels decay."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from stages.lib.core.params import TrainingParams
from stages.lib.training.recipe import Recipe


def optimizer_of(params: TrainingParams, recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer that the parameters and the recipe ask for.

    Args:
        params: learning rate and its schedule, and the epochs.
        recipe: what goes beyond them.
        steps: training steps of one epoch.
    """
    rate = learning_rate(params, recipe.warmup, params.epochs * steps)
    average: dict[str, Any] = {}
    if recipe.averaged is not None:
        # A running mean whose weights reach back over so many epochs; Keras saves it with the optimizer's state.
        average = {"use_ema": True, "ema_momentum": 1 - 1 / (recipe.averaged * steps)}
    if recipe.optimizer == "adam" and not recipe.rates:
        return keras.optimizers.Adam(rate, **average)
    return LayerwiseAdam(rate, recipe.rates, recipe.weight_decay, **average)


def learning_rate(params: TrainingParams, warmup: float, steps: int) -> float | keras.optimizers.schedules.CosineDecay:
    """The learning rate, or its schedule.

    Args:
        params: the highest rate, and whether it falls to nothing along a cosine.
        warmup: share of the steps in which it grows from 0.
        steps: of the whole training.
    """
    rate, first = params.learning_rate, round(warmup * steps)
    end = 0.0 if params.schedule == "cosine" else 1.0
    if not first:
        return rate if end else keras.optimizers.schedules.CosineDecay(rate, decay_steps=steps)
    # With a share of 1 at its end, the cosine is a constant.
    return keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=max(1, steps - first), alpha=end, warmup_target=rate, warmup_steps=first
    )


class LayerwiseAdam(keras.optimizers.Adam):
    """Adam with a share of the learning rate for each variable, and weight decay for kernels alone."""

    def __init__(
        self, learning_rate: Any, rates: Mapping[int, float], kernel_decay: float = 0.0, **options: Any
    ) -> None:
        """Take the shares.

        Args:
            learning_rate: as Keras takes it.
            rates: share of the learning rate by the identity of a variable; 1 for all others.
            kernel_decay: share of the learning rate by which kernels shrink in each step.
            options: of Keras's optimizers.
        """
        super().__init__(learning_rate, **options)
        self.rates, self.kernel_decay = dict(rates), kernel_decay
        self.shares: tuple[float, ...] = ()

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Find the share of each variable in the order in which Keras numbers them."""
        self.shares = tuple(self.rates.get(id(one), 1.0) for one in variables)
        super().build(variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Shrink a kernel, and then go a step of Adam, both with the rate of the variable."""
        rate = keras.ops.cast(learning_rate, variable.dtype) * self.shares[self._get_variable_index(variable)]
        # Norms, biases and scales have one dimension.
        if self.kernel_decay and len(variable.shape) > 1:
            self.assign_sub(variable, variable * (rate * self.kernel_decay))
        super().update_step(gradient, variable, rate)
