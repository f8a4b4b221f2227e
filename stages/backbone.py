"""The pretrained backbone as a directory of its own: later stages need no network, and its weights are pinned."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.lib.core import entry
from stages.lib.core.data_sections import DownloadParams
from stages.lib.core.errors import UserError
from stages.lib.core.model_sections import SAMPLE, BackboneParams, PretrainingParams
from stages.lib.core.outputs import DISABLED, atomic_directory, atomic_file, disable
from stages.lib.core.params import CommonParams
from stages.lib.networks.startup import start_tensorflow
from stages.lib.pretrained import recommended, suitability

if TYPE_CHECKING:
    import numpy as np

    from stages.lib.pretrained import presets

DRAWN_SIZE = 64  # height and width in pixels that the backbone of drawings is made for unless it is asked for others


def backbone(
    candidates: Path,
    preset: Path,
    pixels: Path,
    cautions: Path,
    comparison: Path,
    known: Path,
    common: CommonParams,
    download: DownloadParams,
    params: BackboneParams,
) -> None:
    """Write the pretrained backbone and its image converter to the directory `preset`; of candidates the chosen one.

    Besides, the height and width of every model's input to the file `pixels`: those of common.image_size, or those
    that the preset was made for; and what makes the backbone unsuitable for the images to the file `cautions`, a list
    of sentences, which are printed too.

    Args:
        candidates: a directory per slot, from the stage `candidate_features`.
        preset: directory to write: a KerasHub preset, and pooling.json: how what it gives becomes one vector.
        pixels: json to write: image_size, height and width of every model's input in pixels.
        cautions: json to write: a list of sentences.
        comparison: json to write: a row per candidate (`choosing.choose_among`); none without candidates.
        known: directory to write: the features that the chosen candidate has; none without candidates.
        common: section `common` of params.yaml.
        download: section `download` of params.yaml: where the images come from.
        params: section `backbone` of params.yaml.

    Raises:
        UserError: no such preset, it is incomplete or not for images, it cannot be fetched, it cannot take images
            of this size, or it has no class token to pool.
    """
    if not params.enabled:
        if not common.has_pixels:
            raise UserError("common.image_size: expected pixels with backbone.enabled: false. Received: 'preset'")
        disable(preset, "backbone")
        _write(pixels, {"image_size": common.pixels})
        _write(cautions, [])
        _nothing_to_choose(comparison, known)
        return
    if any(params.candidates):
        found = _chosen(candidates, preset, comparison, known, common)
    else:
        found = _asked(preset, common, download, params)
        _nothing_to_choose(comparison, known)
    _write(pixels, {"image_size": found.image_size})
    sentences = suitability.cautions(download.source, found.name, found.own_size, found.image_size)
    _write(cautions, sentences)
    size = f"{found.image_size} x {found.image_size}"
    print(f"backbone: {found.parameters:,} parameters from {found.name}, for images of {size}")
    for sentence in sentences:
        print(f"CAUTION: {sentence}", flush=True)


@dataclass(frozen=True)
class _Taken:
    """The backbone that is there now: its name, and the sizes of images as `slots.Candidate` has them."""

    name: str
    parameters: int
    image_size: int
    own_size: int | None


def _asked(preset: Path, common: CommonParams, download: DownloadParams, params: BackboneParams) -> _Taken:
    """Write the backbone that `backbone.preset` names."""
    name = recommended.preset_for(params.preset, download.source)
    if name != params.preset:
        print(f"backbone.preset: {params.preset} takes {name}, since download.source is {download.source}", flush=True)
    if name == SAMPLE and not common.has_pixels:
        common = common.model_copy(update={"image_size": DRAWN_SIZE})

    # Drawn before TensorFlow is imported, whose memory and threads the drawing processes do without.
    drawn = _draw(common, params.pretraining) if name == SAMPLE else None

    start_tensorflow(common.deterministic)
    from stages.lib.networks import pooling_file, tokens
    from stages.lib.pretrained import presets

    with recommended.ways_out(params.preset):
        loaded = presets.load(name) if drawn is None else _pretrained(drawn, common, params.pretraining)
    own = presets.size_of(loaded)
    size = presets.input_size(loaded, common.pixels if common.has_pixels else None)
    loaded = presets.for_size(loaded, size)
    tokens.check(loaded[0], params.pooling)
    with atomic_directory(preset) as partial:
        presets.save(loaded, partial)
        pooling_file.write(partial, params.pooling)
    return _Taken(name, loaded[0].count_params(), size, own)


def _nothing_to_choose(comparison: Path, known: Path) -> None:
    """Say that there were no candidates: no row, and a directory without features."""
    _write(comparison, [])
    with atomic_directory(known) as partial:
        (partial / DISABLED).write_text("There are no `backbone.candidates` in params.yaml.\n", encoding="utf-8")


def _chosen(candidates: Path, preset: Path, comparison: Path, known: Path, common: CommonParams) -> _Taken:
    """Write the best of the candidates, its features, and how the candidates compare."""
    start_tensorflow(common.deterministic)
    from stages.lib.candidates import choosing

    best = choosing.choose_among(candidates)
    with atomic_directory(preset) as partial:
        shutil.copytree(best.preset, partial, dirs_exist_ok=True)
    with atomic_directory(known) as partial:
        for file in best.features:
            shutil.copy(file, partial)
    _write(comparison, best.rows)
    found = best.candidate
    return _Taken(found.preset, found.parameters, found.image_size, found.own_size)


def _write(file: Path, content: dict[str, int] | list[Any]) -> None:
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
