"""How deep each weight of a backbone lies, and the share of the learning rate that it gets for that."""

import keras_hub

from stages.lib.networks.unfreezing import in_order


def rates_by_depth(backbone: keras_hub.models.Backbone, first: float) -> dict[int, float]:
    """Shares of the learning rate that fall from the output of a backbone to its input, each by the same factor.

    General features lie near the input and change less (Howard & Ruder 2018; Clark et al. 2020).

    Args:
        backbone: with the layers to train made trainable.
        first: share of the layer nearest to the input, in (0, 1]; 1 makes no difference between layers.

    Returns:
        The share by the identity of each trainable variable; empty where all are 1.
    """
    if first == 1:
        return {}
    trained = [[one for one in layer._trainable_variables if one.trainable] for layer in in_order(backbone)]
    owned = [variables for variables in trained if variables]
    return {
        id(variable): first ** ((len(owned) - index) / len(owned))
        for index, variables in enumerate(owned)
        for variable in variables
    }
