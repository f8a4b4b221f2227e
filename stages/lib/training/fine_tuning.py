"""What section `fine_tuned` asks for around its training: rates of the layers, adaptation, and its end."""

from collections.abc import Callable
from dataclasses import dataclass

import keras

from stages.lib.core.model_sections import FineTunedParams
from stages.lib.networks import build as networks
from stages.lib.networks import lora
from stages.lib.networks.depths import rates_by_depth
from stages.lib.networks.unfreezing import unfreeze
from stages.lib.training import recipe as recipes
from stages.lib.training.recipe import PLAIN, Recipe


@dataclass(frozen=True)
class FineTuning:
    """What is done before and after the steps of a training.

    Attributes:
        recipe: of a network that is built and not trained yet.
        finished: the network to save, of the one that was trained.
    """

    recipe: Callable[[keras.Model], Recipe] = lambda network: PLAIN
    finished: Callable[[keras.Model], keras.Model] = lambda network: network


PLAINLY = FineTuning()


def fine_tuning(params: FineTunedParams) -> FineTuning:
    """What section `fine_tuned` asks for."""

    def recipe(network: keras.Model) -> Recipe:
        return recipes.of(params, rates_by_depth(networks.backbone_of(network), params.layer_decay))

    def finished(network: keras.Model) -> keras.Model:
        if params.lora is None:
            return network
        return networks.with_precision(network, networks.backbone_of(network).dtype_policy.name)

    return FineTuning(recipe, finished)


def prepare(network: keras.Model, params: FineTunedParams) -> None:
    """Let those weights of a network train that the section names.

    Args:
        network: as `networks.transfer_model` builds it; is changed.
        params: the section.

    Raises:
        UserError: adaptation is asked for, and no layer of the backbone can be adapted.
    """
    backbone = networks.backbone_of(network)
    unfreeze(backbone, params.unfreeze if isinstance(params.unfreeze, int) else None)
    if params.lora is not None:
        lora.enable(backbone, params.lora)
