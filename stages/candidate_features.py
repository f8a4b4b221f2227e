"""One backbone to choose from: its features of the training and validation images, and how good a head on them is."""

from pathlib import Path

from safety.words import counted
from stages.lib.candidates import slots
from stages.lib.core import entry
from stages.lib.core.model_sections import BackboneParams, FeaturesParams
from stages.lib.core.outputs import atomic_directory
from stages.lib.core.params import CommonParams
from stages.lib.networks.startup import start_tensorflow


def candidate_features(
    slot: Path,
    dataset: Path,
    manifest: Path,
    duplicates: Path,
    output: Path,
    common: CommonParams,
    backbone: BackboneParams,
    features: FeaturesParams,
) -> None:
    """Write a candidate, its features, and predictions of heads that have not seen the image, to a directory.

    What an interrupted run computed is kept and not computed again.

    Args:
        slot: json with the name of the preset, from the stage `candidates`; null writes only that there is none.
        dataset: directory of the images, from the stage `split`.
        manifest: table of the images, from the stage `split`.
        duplicates: table of copies, from the stage `split`: no image is judged by a head that knows a copy of it.
        output: directory to write: candidate.json, preset/, features of train and validation (`feature_files`), and
            out_of_fold.csv.
        common: section `common` of params.yaml.
        backbone: section `backbone` of params.yaml; only how features are pooled.
        features: section `features` of params.yaml.

    Raises:
        UserError: the preset cannot be used, or an image cannot be decoded.
    """
    name = slots.read_entry(slot)
    if name is None:
        slots.leave_empty(output)
        return

    # TensorFlow takes seconds to import: an empty slot does without.
    start_tensorflow(common.deterministic)
    from stages.lib.arrays import feature_files
    from stages.lib.candidates import judging, loading
    from stages.lib.features.extractor import Extractor, precision_for
    from stages.lib.images.manifest import read_subsets
    from stages.lib.images.resizing import asked
    from stages.lib.inference import predictions
    from stages.lib.training.checkpoints import Checkpoints

    with atomic_directory(output) as unfinished:
        preset = unfinished / slots.PRESET
        preset.mkdir()
        found = loading.take(name, common.pixels if common.has_pixels else None, backbone.pooling, preset)
        slots.write_about(unfinished, found)
        size, resizing = found.image_size, asked(common, preset)
        # Each slot has its own: those of another one are not removed.
        stage = f"candidate_features_{slot.stem}"
        checkpoints = Checkpoints(stage, [common, features], [Path(__file__), manifest, preset])
        precision = checkpoints.once("precision", lambda: precision_for(stage, preset, size, features))
        extractor = Extractor(preset, size, features, precision)
        for subset, images in zip(judging.LEARNED, read_subsets(dataset, manifest, *judging.LEARNED), strict=True):
            extractor.write(unfinished, subset, images, resizing, checkpoints.directory)
            print(f"{name}, {subset}: {counted(len(images.paths), 'image')}", flush=True)
        feature_files.write_about(unfinished, images.classes, precision, resizing)
        judged = judging.judge(unfinished, manifest, duplicates, common.seed)
        predictions.write(judged, unfinished / slots.OUT_OF_FOLD)
    checkpoints.remove()


if __name__ == "__main__":
    entry.run(candidate_features)
