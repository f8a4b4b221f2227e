"""Run the frozen backbone once over every image; the heads train on what comes out."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stages.lib.core import entry
from stages.lib.core.model_sections import FeaturesParams
from stages.lib.core.outputs import atomic_directory, disable, require
from stages.lib.core.params import CommonParams, Precision
from stages.lib.core.progress import counted
from stages.lib.networks.startup import start_tensorflow

if TYPE_CHECKING:
    from stages.lib.networks.precision import Step

_BATCHES = 32  # computed between two savings of what is done


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
    import numpy as np

    from stages.lib.arrays import feature_files
    from stages.lib.images.decode import stream
    from stages.lib.images.manifest import SUBSETS, read_subsets
    from stages.lib.images.resizing import asked
    from stages.lib.inference.forward import compiled
    from stages.lib.networks.build import feature_extractor
    from stages.lib.networks.precision import choose
    from stages.lib.training.checkpoints import Checkpoints

    step_in = partial(_step_in, preset, common.pixels, params.batch_size)
    resizing = asked(common, preset)
    checkpoints = Checkpoints("features", [common, params], [Path(__file__), manifest, preset])
    ready = feature_files.subsets(known)
    precision = (
        feature_files.read_about(known)[1]
        if ready
        else checkpoints.once("precision", lambda: choose("features", params.precision, step_in))
    )
    extractor = feature_extractor(preset, common.pixels, precision)
    forward = compiled(extractor, params.batch_size)
    part = _BATCHES * params.batch_size

    def vectors_of(paths: Sequence[Path]) -> np.ndarray:
        """float32 (images, views, channels): of the image and, where they are asked for, of its mirror image."""
        batches = stream(paths, common.pixels, "rgb", params.batch_size, resizing=resizing)
        views = slice(None, None, 1), slice(None, None, -1)
        return np.concatenate(
            [np.stack([forward(batch[:, :, view]) for view in views[: 1 + params.mirror]], axis=1) for batch in batches]
        )

    with atomic_directory(output) as unfinished:
        for subset, images in zip(SUBSETS, read_subsets(dataset, manifest, *SUBSETS), strict=True):
            if subset in ready:
                feature_files.take_over(known, subset, images, unfinished)
                print(f"{subset}: {len(images.paths)} images, known since the backbone was chosen", flush=True)
                continue
            parts = feature_files.in_parts(checkpoints.directory, subset, images.paths, part, vectors_of)
            shown = counted(parts, f"features of {subset}", -(-len(images.paths) // part))
            # Read a second time from where they are kept.
            again = feature_files.in_parts(checkpoints.directory, subset, images.paths, part, vectors_of)
            vectors, mirrored = (one[:, 0] for one in shown), (one[:, 1] for one in again)
            other = mirrored if params.mirror else None
            feature_files.write(unfinished, subset, images, extractor.output_shape[-1], vectors, other)
            print(f"{subset}: {len(images.paths)} images", flush=True)
        feature_files.write_about(unfinished, images.classes, precision, resizing)
    checkpoints.remove()


def _step_in(preset: Path, pixels: int, batch_size: int, precision: Precision) -> "Step":
    """A function that computes the features of one batch in a precision."""
    import numpy as np

    from stages.lib.networks.build import feature_extractor
    from stages.lib.networks.fusion import forward_pass, fuse

    images = np.zeros((batch_size, pixels, pixels, 3), np.uint8)
    forward = forward_pass(fuse(feature_extractor(preset, pixels, precision)), batch_size)
    return lambda: forward(images)


if __name__ == "__main__":
    entry.run(features)
