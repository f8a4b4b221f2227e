"""The linear head of `feature_extraction`, fitted again in the same way on more images than it was measured with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from stages.lib.arrays import feature_files
from stages.lib.core.model_sections import FeatureExtractionParams, Refit
from stages.lib.core.params import CommonParams
from stages.lib.heads import logistic
from stages.lib.heads.asked import training_of
from stages.lib.heads.keras_head import whole_model
from stages.lib.heads.linear import LinearHead
from stages.lib.images.manifest import SubsetName
from stages.lib.networks import mirroring

_SUBSETS: Mapping[Refit, tuple[SubsetName, ...]] = {
    "none": ("train",),
    "validation": ("train", "validation"),
    "all": ("train", "validation", "test"),
}


@dataclass(frozen=True)
class Refitted:
    """A model that takes images, not compiled.

    Attributes:
        head: the linear head in it.
        learned: images that it was fitted on.
        images: of the subsets, of which these were drawn.
    """

    model: keras.Model
    head: LinearHead
    learned: int
    images: int


def refitted(
    features: Path,
    on: Refit,
    groups_of: Callable[[Sequence[str]], np.ndarray],
    preset: Path,
    common: CommonParams,
    params: FeatureExtractionParams,
) -> Refitted:
    """Fit the head on the features of several subsets, as `feature_extraction` does on those of the training images.

    Args:
        features: directory of the stage `features`.
        on: `classifier.refit`: which subsets it is fitted on.
        groups_of: int64 (images,) of their names, equal for images that belong together.
        preset: directory of the stage `backbone`.
        common: section `common` of params.yaml.
        params: section `feature_extraction` of params.yaml.
    """
    classes, precision = feature_files.read_about(features)
    images = feature_files.read_all(features, _SUBSETS[on])
    training = training_of(images, groups_of(images.names), len(classes), params)
    head = logistic.fitted(training, logistic.search(training, common.seed).choice, common.seed)
    model = whole_model(preset, head, common.pixels, precision)
    return Refitted(
        mirroring.mirrored(model) if params.mirror else model,
        head,
        len(training.drawn(common.seed)),
        len(images.labels),
    )
