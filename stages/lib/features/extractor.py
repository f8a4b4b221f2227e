"""A frozen backbone over many images, once: the features of each and of its mirror image, in files as they come."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from stages.lib.arrays import feature_files
from stages.lib.core.model_sections import FeaturesParams
from stages.lib.core.params import Precision
from stages.lib.core.progress import tracked
from stages.lib.images import decode
from stages.lib.images.manifest import Subset, SubsetName
from stages.lib.images.resizing import Resizing
from stages.lib.inference.forward import compiled
from stages.lib.networks import precision
from stages.lib.networks.build import feature_extractor
from stages.lib.networks.fusion import forward_pass, fuse

_BATCHES = 32  # computed between two savings of what is done


class Extractor:
    """The features that one preset gives of images of one size.

    Attributes:
        channels: size of a feature vector.
    """

    def __init__(self, preset: Path, pixels: int, params: FeaturesParams, computed_in: Precision) -> None:
        """Build the backbone.

        Args:
            preset: directory of a preset.
            pixels: height and width that the images get.
            params: section `features` of params.yaml.
            computed_in: the precision of the backbone.
        """
        model = feature_extractor(preset, pixels, computed_in)
        self.channels = int(model.output_shape[-1])
        self._pixels, self._params = pixels, params
        self._forward = compiled(model, params.batch_size)

    def views(self, paths: Sequence[Path], resizing: Resizing) -> np.ndarray:
        """Features of some images and, where they are asked for, of their mirror images.

        Args:
            paths: files of the images.
            resizing: how they become squares.

        Returns:
            float32 (images, views, channels).

        Raises:
            BrokenImage: a file cannot be decoded; its name comes first.
        """
        steps = (1, -1)[: 1 + self._params.mirror]
        batches = decode.stream(paths, self._pixels, "rgb", self._params.batch_size, resizing=resizing)
        return np.concatenate(
            [np.stack([self._forward(batch[:, :, ::step]) for step in steps], axis=1) for batch in batches]
        )

    def write(self, folder: Path, subset: SubsetName, images: Subset, resizing: Resizing, parts: Path) -> None:
        """Write the features of a subset, as `feature_files.read` reads them.

        Args:
            folder: where to; exists.
            subset: its name.
            images: the images of the subset.
            resizing: how they become squares.
            parts: directory that keeps what is done; what it has already is not computed again.

        Raises:
            BrokenImage: a file cannot be decoded; its name comes first.
        """
        part = _BATCHES * self._params.batch_size

        def computed() -> Iterator[np.ndarray]:
            return feature_files.in_parts(parts, subset, images.paths, part, lambda paths: self.views(paths, resizing))

        shown = tracked(computed(), f"features of {subset}", -(-len(images.paths) // part))
        vectors = (one[:, 0] for one in shown)
        # Read a second time from where they are kept: all of them need not fit into memory.
        mirrored = (one[:, 1] for one in computed()) if self._params.mirror else None
        feature_files.write(folder, subset, images, self.channels, vectors, mirrored)


def precision_for(stage: str, preset: Path, pixels: int, params: FeaturesParams) -> Precision:
    """The precision that `features.precision` asks for, or the one that is clearly faster here (`precision.choose`).

    Args:
        stage: its name, for what is printed.
        preset: directory of a preset.
        pixels: height and width of the images.
        params: section `features` of params.yaml.
    """

    def step_in(tried: Precision) -> Callable[[], object]:
        forward = forward_pass(fuse(feature_extractor(preset, pixels, tried)), params.batch_size)
        images = np.zeros((params.batch_size, pixels, pixels, 3), np.uint8)
        return lambda: forward(images)

    return precision.choose(stage, params.precision, step_in)
