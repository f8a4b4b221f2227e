"""Run the frozen backbone once over every picture; the heads train on what comes out."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.lib import entry
from stages.lib.outputs import disable, require, whole_directory
from stages.lib.params import AskedPrecision, CommonParams, Params, Precision
from stages.lib.startup import start_tensorflow


class FeaturesParams(Params):
    """Section `features`.

    batch_size: pictures per forward pass. precision: "auto" takes what is clearly faster on this machine.
    """

    enabled: bool
    batch_size: Annotated[int, Field(ge=1)]
    precision: AskedPrecision


def features(
    dataset: Path, manifest: Path, preset: Path, features: Path, common: CommonParams, params: FeaturesParams
) -> None:
    """Write the pooled features of every subset, float32 (pictures, channels), to the directory `features`.

    Raises:
        UserError: the backbone is turned off, or a picture cannot be decoded.
    """
    if not params.enabled:
        disable(features, "features")
        return
    require(preset, "backbone", "features")

    # TensorFlow takes seconds to import: a stage that is turned off does without.
    start_tensorflow()
    import numpy as np
    from rich.progress import track

    from stages.lib import feature_files
    from stages.lib.batches import steps
    from stages.lib.inference import compiled
    from stages.lib.manifest import SUBSETS, read_subset
    from stages.lib.networks import feature_extractor
    from stages.lib.pictures import stream
    from stages.lib.precision import Step, choose

    def step_in(precision: Precision) -> Step:
        pictures = np.zeros((params.batch_size, common.image_size, common.image_size, 3), np.uint8)
        forward = compiled(feature_extractor(preset, common.image_size, precision), params.batch_size)
        return lambda: forward(pictures)

    precision = choose("features", params.precision, step_in)
    extractor = feature_extractor(preset, common.image_size, precision)
    forward = compiled(extractor, params.batch_size)
    with whole_directory(features) as partial:
        for subset in SUBSETS:
            pictures = read_subset(dataset, manifest, subset)
            batches = stream(pictures.paths, common.image_size, "rgb", params.batch_size)
            total = steps(len(pictures.paths), params.batch_size)
            vectors = map(forward, track(batches, f"features of {subset}", total))
            feature_files.write(partial, subset, pictures, extractor.output_shape[-1], vectors)
            print(f"{subset}: {len(pictures.paths)} pictures", flush=True)
        feature_files.write_about(partial, pictures.classes, precision)


if __name__ == "__main__":
    entry.run(features)
