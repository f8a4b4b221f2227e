"""The pretrained backbone as a directory of its own: later stages need no network, and its weights are pinned."""

from pathlib import Path
from typing import TYPE_CHECKING

from stages.lib import entry
from stages.lib.outputs import disable, whole_directory
from stages.lib.params import CommonParams
from stages.lib.sections import BackboneParams, PretrainingParams
from stages.lib.startup import start_tensorflow

if TYPE_CHECKING:
    import numpy as np

SAMPLE = "sample"


def backbone(preset: Path, common: CommonParams, params: BackboneParams) -> None:
    """Write the pretrained backbone and its image converter to the directory `preset`.

    Raises:
        UserError: no such preset, it is incomplete or not for pictures, or it cannot be fetched.
    """
    if not params.enabled:
        disable(preset, "backbone")
        return

    # Drawn before TensorFlow is imported, whose memory and threads the drawing processes do without.
    drawn = _draw(common, params.pretraining) if params.preset == SAMPLE else None

    start_tensorflow(common.deterministic)
    from stages.lib import presets

    if drawn is None:
        loaded = presets.load(params.preset)
    else:
        import keras_hub

        from stages.lib.pretraining import OFFSET, SCALE, pretrain

        settings = params.pretraining
        network = pretrain(*drawn, settings.epochs, settings.learning_rate, common.batch_size, common.seed)
        size = (common.image_size, common.image_size)
        converter = keras_hub.layers.ImageConverter(
            size, scale=SCALE, offset=OFFSET, crop_to_aspect_ratio=False, name="image_converter"
        )
        loaded = (network, converter)
    with whole_directory(preset) as partial:
        presets.save(loaded, partial)
    print(f"backbone: {loaded[0].count_params():,} parameters from {params.preset}")


def _draw(common: CommonParams, params: PretrainingParams) -> "tuple[np.ndarray, np.ndarray]":
    from stages.lib.drawing import PRETRAINING_ANIMALS, draw_set

    print(f"drawing {params.pictures_per_class} pictures of each of {len(PRETRAINING_ANIMALS)} animals", flush=True)
    return draw_set(PRETRAINING_ANIMALS, params.pictures_per_class, common.image_size, common.seed)


if __name__ == "__main__":
    entry.run(backbone)
