"""The random sequences of a network's layers, such as dropout, as a function of seed and step alone."""

import keras

from stages.lib.training.chunks import parts


def start_random_sequences(model: keras.Model, seed: int, step: int) -> None:
    """Put every random sequence of a model where it stands before a step, whatever was computed before.

    A training that is resumed then draws what an uninterrupted one would have drawn.

    Args:
        model: the network that trains, with layers in any depth.
        seed: of the training; each layer adds its index.
        step: training steps before this one, counted from the first epoch.
    """
    for index, layer in enumerate(model._flatten_layers()):
        if isinstance(getattr(layer, "seed_generator", None), keras.random.SeedGenerator):
            layer.seed_generator.state.assign([seed + index, step * parts(model)])
