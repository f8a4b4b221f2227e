"""Run the frozen backbone once over every image; the heads train on what comes out."""

from pathlib import Path

from safety.words import counted
from stages.lib.core import entry
from stages.lib.core.model_sections import FeaturesParams
from stages.lib.core.outputs import atomic_directory, disable, require
from stages.lib.core.params import CommonParams
from stages.lib.networks.startup import start_tensorflow


def features(
    dataset: Path, manifest: Path, preset: Path, known: Path, output: Path, common: CommonParams, params: FeaturesParams
) -> None:
    """Write the pooled features of every subset, float32 (images, channels), to the directory `output`.

    What an interrupted run computed is kept and not computed again, nor is what was computed to choose the backbone.

    Args:
        dataset: directory of the images, from the stage `split`.
        manifest: table of the images, from the stage `split`.
        preset: directory of the stage `backbone`.
        known: directory of the stage `backbone`: features of some subsets on this backbone, or none.
        output: directory to write: per subset an array and a table (`feature_files`), and features.json.
        common: section `common` of params.yaml.
        params: section `features` of params.yaml.

    Raises:
        UserError: the backbone is turned off, or an image cannot be decoded.
    """
    if not params.enabled:
        disable(output, "features")
        return
    require(preset, "backbone", "features")

    # TensorFlow takes seconds to import: a stage that is turned off does without.
    start_tensorflow(common.deterministic)
    from stages.lib.arrays import feature_files
    from stages.lib.features.extractor import Extractor, precision_for
    from stages.lib.images.manifest import SUBSETS, read_subsets
    from stages.lib.images.resizing import asked
    from stages.lib.training.checkpoints import Checkpoints

    checkpoints = Checkpoints("features", [common, params], [Path(__file__), manifest, preset])
    ready = feature_files.subsets(known)
    precision = (
        feature_files.read_about(known)[1]
        if ready
        else checkpoints.once("precision", lambda: precision_for("features", preset, common.pixels, params))
    )
    extractor, resizing = Extractor(preset, common.pixels, params, precision), asked(common, preset)
    with atomic_directory(output) as unfinished:
        for subset, images in zip(SUBSETS, read_subsets(dataset, manifest, *SUBSETS), strict=True):
            count = counted(len(images.paths), "image")
            if subset in ready:
                feature_files.take_over(known, subset, images, unfinished)
                print(f"{subset}: {count}, known since the backbone was chosen", flush=True)
                continue
            extractor.write(unfinished, subset, images, resizing, checkpoints.directory)
            print(f"{subset}: {count}", flush=True)
        feature_files.write_about(unfinished, images.classes, precision, resizing)
    checkpoints.remove()


if __name__ == "__main__":
    entry.run(features)
