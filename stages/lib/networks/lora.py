"""Low-rank adaptation (LoRA, Hu et al. 2021): a kernel stays, and a product of two small matrices is added to it.

Keras saves a layer with the product merged into its kernel and sets both matrices to zero on loading, from where they
never train again: a training that goes on needs its parts, and a model that is kept needs none of them.
"""

from typing import Any

import keras
import keras_hub
import numpy as np
from keras import layers, ops

from stages.lib.core.errors import UserError
from stages.lib.networks.unfreezing import in_order


def enable(backbone: keras_hub.models.Backbone, rank: int) -> None:
    """Let layers that are to train and can be adapted train through two small matrices each, and nothing else.

    Args:
        backbone: with the layers to train made trainable; is changed.
        rank: columns of the first matrix, rows of the second.

    Raises:
        UserError: no layer that is to train can be adapted.
    """
    found = False
    for layer in in_order(backbone):
        trained = [one for one in layer._trainable_variables if one.trainable]
        if _adaptable(layer) and any(one is layer.kernel for one in trained):
            layer.enable_lora(rank)
            found = True
        for variable in trained:
            variable.trainable = False
    if not found:
        raise UserError(
            "fine_tuned.lora: expected null, as no layer of this backbone that trains can be adapted by Keras. "
            f"Received: {rank}"
        )


def parts(model: keras.Model) -> dict[str, Any]:
    """Kernel and both matrices of every adapted layer, by a name for each; empty where none is adapted."""
    return {
        f"{index}-{name}": np.asarray(getattr(layer, name).value)
        for index, layer in enumerate(_adapted(model))
        for name in ("_kernel", "lora_kernel_a", "lora_kernel_b")
    }


def set_parts(model: keras.Model, found: dict[str, np.ndarray]) -> None:
    """Give every adapted layer what `parts` found in one like it."""
    for key, value in found.items():
        index, name = key.split("-")
        getattr(_adapted(model)[int(index)], name).assign(value)


def kernel_of(layer: layers.Layer) -> Any:
    """The kernel of a layer as it computes, in the precision of its weights; Keras rounds that of an adapted one."""
    if not getattr(layer, "lora_enabled", False):
        return layer.kernel
    product = ops.matmul(layer.lora_kernel_a, layer.lora_kernel_b)
    return ops.add(layer._kernel, (layer.lora_alpha / layer.lora_rank) * product)


def plain_weights(model: keras.Model) -> list[np.ndarray]:
    """Values of the weights of a model like it without adapted layers: what the matrices add is in their kernels."""
    kernels = {id(layer._kernel): kernel_of(layer) for layer in _adapted(model)}
    weights = [one for one in model.weights if not one.name.startswith("lora_kernel")]
    return [np.asarray(kernels.get(id(one), one.value)) for one in weights]


def _adaptable(layer: layers.Layer) -> bool:
    return hasattr(layer, "enable_lora") and not isinstance(layer, layers.Embedding)


def _adapted(model: keras.Model) -> list[layers.Layer]:
    return [layer for layer in in_order(model) if getattr(layer, "lora_enabled", False)]
