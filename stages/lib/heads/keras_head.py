"""A linear head as layers of Keras."""

from pathlib import Path

import keras
from keras import layers

from stages.lib.core.params import Precision
from stages.lib.heads.linear import LinearHead
from stages.lib.networks import build


def whole_model(preset: Path, head: LinearHead, image_size: int, precision: Precision) -> keras.Model:
    """A linear head on its frozen backbone, as `build.transfer_model`: a dense layer, and one of the length before.

    Args:
        preset: directory of the stage `backbone`.
        head: of the features that this backbone gives.
        image_size: height and width of the input in pixels.
        precision: in which the backbone computes.
    """
    outputs = head.kernel.shape[1]
    last = build.classifier(max(2, outputs))
    lengths = [layers.UnitNormalization(dtype="float32", name="unit_length")] if head.unit_length else []
    model = build.transfer_model(preset, [*lengths, last], image_size, precision)
    last.set_weights([head.kernel, head.bias])
    return model
