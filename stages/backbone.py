"""The pretrained backbone as a directory of its own: later stages need no network, and its weights are pinned."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from stages.lib.core import entry
from stages.lib.core.errors import UserError
from stages.lib.core.model_sections import BackboneParams, PretrainingParams
from stages.lib.core.outputs import atomic_directory, atomic_file, disable
from stages.lib.core.params import PRESET, CommonParams
from stages.lib.core.sections import DownloadParams
from stages.lib.networks.startup import start_tensorflow
from stages.lib.pretrained import suitability

if TYPE_CHECKING:
    import numpy as np

    from stages.lib.pretrained import presets

SAMPLE = "sample"


def backbone(
    preset: Path,
    pixels: Path,
    cautions: Path,
    common: CommonParams,
    download: DownloadParams,
    params: BackboneParams,
) -> None:
    """Write the pretrained backbone and its image converter to the directory `preset`.

    Besides, the height and width of every model's input to the file `pixels`: those of common.image_size, or those
    that the preset was made for; and what makes the backbone unsuitable for the images to the file `cautions`, a list
    of sentences, which are printed too.

    Args:
        preset: directory to write: a KerasHub preset, and pooling.json: how what it gives becomes one vector.
        pixels: json to write: image_size, height and width of every model's input in pixels.
        cautions: json to write: a list of sentences.
        common: section `common` of params.yaml.
        download: section `download` of params.yaml: where the images come from.
        params: section `backbone` of params.yaml.

    Raises:
        UserError: no such preset, it is incomplete or not for images, it cannot be fetched, it cannot take images
            of this size, or it has no class token to pool.
    """
    if not params.enabled:
        if common.image_size == PRESET:
            raise UserError("common.image_size: expected pixels with backbone.enabled: false. Received: 'preset'")
        disable(preset, "backbone")
        _write(pixels, {"image_size": common.pixels})
        _write(cautions, [])
        return
    if params.preset == SAMPLE and common.image_size == PRESET:
        raise UserError("common.image_size: expected pixels with backbone.preset: sample, which is made for any size")

    # Drawn before TensorFlow is imported, whose memory and threads the drawing processes do without.
    drawn = _draw(common, params.pretraining) if params.preset == SAMPLE else None

    start_tensorflow(common.deterministic)
    from stages.lib.networks import pooling_file, tokens
    from stages.lib.pretrained import presets

    loaded = presets.load(params.preset) if drawn is None else _pretrained(drawn, common, params.pretraining)
    own = presets.size_of(loaded)
    size = presets.input_size(loaded, None if common.image_size == PRESET else common.pixels)
    loaded = presets.for_size(loaded, size)
    tokens.check(loaded[0], params.pooling)
    with atomic_directory(preset) as partial:
        presets.save(loaded, partial)
        pooling_file.write(partial, params.pooling)
    _write(pixels, {"image_size": size})
    found = suitability.cautions(download.source, params.preset, own, size)
    _write(cautions, found)
    print(f"backbone: {loaded[0].count_params():,} parameters from {params.preset}, for images of {size} x {size}")
    for sentence in found:
        print(f"CAUTION: {sentence}", flush=True)


def _write(file: Path, content: dict[str, int] | list[str]) -> None:
    with atomic_file(file) as partial:
        partial.write_text(json.dumps(content) + "\n", encoding="utf-8")


def _pretrained(
    drawn: "tuple[np.ndarray, np.ndarray]", common: CommonParams, params: PretrainingParams
) -> "presets.Preset":
    import keras_hub

    from stages.lib.pretrained.pretraining import OFFSET, SCALE, pretrain

    network = pretrain(*drawn, params.epochs, params.learning_rate, common.batch_size, common.seed)
    converter = keras_hub.layers.ImageConverter(
        (common.pixels, common.pixels), scale=SCALE, offset=OFFSET, crop_to_aspect_ratio=False, name="image_converter"
    )
    return network, converter


def _draw(common: CommonParams, params: PretrainingParams) -> "tuple[np.ndarray, np.ndarray]":
    from stages.lib.drawing.sample import PRETRAINING_ANIMALS, draw_set

    print(f"drawing {params.images_per_class} images of each of {len(PRETRAINING_ANIMALS)} animals", flush=True)
    return draw_set(PRETRAINING_ANIMALS, params.images_per_class, common.pixels, common.seed)


if __name__ == "__main__":
    entry.run(backbone)
