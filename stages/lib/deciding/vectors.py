"""The pooled features of a model for the images of each subset, and for any others."""

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
from keras import ops

from smallset.images.resizing import Resizing
from smallset.outputs import all_classes
from stages.lib.arrays import feature_files
from stages.lib.core.errors import UserError
from stages.lib.deciding import distances
from stages.lib.deciding.networks import has_features, with_features
from stages.lib.images.decode import stream
from stages.lib.images.manifest import SUBSETS, Subset, SubsetName, read_subsets, require_classes
from stages.lib.inference.forward import compiled
from stages.lib.networks import mirroring, saved_model
from stages.lib.networks.precision import rebuilt

_BATCH = 32


class Seen:
    """What a model makes of images: float32 features (images, channels); None where it has no pooled features.

    Attributes:
        size: height and width in pixels of the model's input.
        color: rgb or grey.
        resizing: that of the model's training.
    """

    def __init__(self, model: Path, dataset: Path, manifest: Path, cached: Path | None) -> None:
        """Load a model.

        Args:
            model: its directory.
            dataset: directory of the images.
            manifest: table of the images.
            cached: directory of the features of all images, if they were computed; used where they are the model's.

        Raises:
            UserError: the model is damaged, or of other classes than the images.
        """
        file = model / "model.keras"
        loaded, classes = saved_model.load(file)
        about = json.loads((model / "summary.json").read_text(encoding="utf-8"))
        self._model = loaded if about["precision"] == "float32" else rebuilt(loaded, "float32")
        self.size, self.color = saved_model.input_of(self._model)
        self.resizing: Resizing = saved_model.resizing_of(file)
        self._cached = cached
        self._subsets: dict[SubsetName, Subset] = dict(
            zip(SUBSETS, read_subsets(dataset, manifest, *SUBSETS), strict=True)
        )
        train = self._subsets["train"]
        require_classes(train, classes, model)
        chosen = np.random.default_rng(0).permutation(len(train.labels))[: distances.MOST]
        self._drawn = np.sort(chosen)

    def labels(self, subset: SubsetName) -> np.ndarray:
        """int64 (images,), of training images those that are drawn."""
        labels = self._subsets[subset].labels
        return labels[self._drawn] if subset == "train" else labels

    def expect(self, subset: SubsetName, names: Sequence[str]) -> None:
        """Make sure that a table is of the images of a subset, in their order.

        Raises:
            UserError: it is of others, so its probabilities would be taken for those of the wrong images.
        """
        if list(names) != self._subsets[subset].names:
            raise UserError(f"decisions: expected predictions of the {subset} images as they are now; evaluate again")

    @cached_property
    def train(self) -> np.ndarray | None:
        """Of the training images, of many some."""
        return self._vectors("train")

    @cached_property
    def validation(self) -> np.ndarray | None:
        """Of the validation images."""
        return self._vectors("validation")

    @cached_property
    def test(self) -> np.ndarray | None:
        """Of the test images."""
        return self._vectors("test")

    def both(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities and features of images that are read already.

        Args:
            pixels: uint8 (images, size, size, channels).

        Returns:
            float64 (images, classes) and float32 (images, channels).
        """
        found = np.concatenate([self._run(pixels[at : at + _BATCH]) for at in range(0, len(pixels), _BATCH)])
        width = self._model.output_shape[-1]
        outputs = found[:, :width].astype(np.float64)
        return all_classes(outputs), found[:, width:]

    def _vectors(self, subset: SubsetName) -> np.ndarray | None:
        if not has_features(self._model):
            return None
        rows = self._drawn if subset == "train" else np.arange(len(self._subsets[subset].labels))
        found = None if self._cached is None else self._known(self._cached, subset, rows)
        if found is not None:
            return found
        paths = [self._subsets[subset].paths[row] for row in rows]
        batches = stream(paths, self.size, self.color, _BATCH, resizing=self.resizing)
        return np.concatenate([self.both(batch)[1] for batch in batches])

    def _known(self, cached: Path, subset: SubsetName, rows: np.ndarray) -> np.ndarray | None:
        """Features that were computed before; None where they are not those that a deployed model computes.

        They are not where mirrored images lack them and the model decides on both, or where their precision is lower.
        """
        if feature_files.read_about(cached)[1] != "float32":
            return None
        known = feature_files.read_of(cached, subset, self._subsets[subset])
        if not mirroring.looks_at_both(self._model):
            return known.vectors[rows]
        return None if known.mirrored is None else (known.vectors[rows] + known.mirrored[rows]) / 2

    @cached_property
    def _run(self) -> Callable[[np.ndarray], np.ndarray]:
        both = with_features(self._model)
        return compiled(keras.Model(both.input, ops.concatenate(both.outputs, axis=-1)), _BATCH)
