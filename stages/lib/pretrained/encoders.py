"""The part of a KerasHub network that takes images alone."""

import keras
import keras_hub

from stages.lib.core.errors import UserError

# Networks for another task hold the backbone that sees: of CLIP and SigLIP beside one that reads; below a detector,
# a segmenter or an estimator of depth, whose own outputs say less of what an image shows.
_PARTS = ("vision_encoder", "image_encoder", "backbone")


def image_encoder(network: keras_hub.models.Backbone) -> keras_hub.models.Backbone:
    """The backbone that sees images, taken out of a network that is made around one; any other one as it is.

    Args:
        network: with its weights, which the part keeps.

    Raises:
        UserError: the network does not take RGB images alone, and holds no backbone that does.
    """
    inner = next((part for name in _PARTS if (part := getattr(network, name, None)) is not None), None)
    found = inner if isinstance(inner, keras_hub.models.Backbone) else network
    shapes = [tuple(one.shape) for one in keras.tree.flatten(getattr(found, "inputs", None) or [])]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] != 3:
        name = type(network).__name__
        takes = f"{len(shapes)} inputs" if len(shapes) != 1 else f"inputs {shapes[0]}"
        raise UserError(
            f"backbone.preset: expected a backbone that takes RGB images alone, or that holds one that KerasHub knows; "
            f"{name} takes {takes}"
        )
    return found
