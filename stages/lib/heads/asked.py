"""What a linear head learns from, as section `feature_extraction` of params.yaml asks for it."""

import numpy as np

from stages.lib.arrays.feature_files import FeatureSet
from stages.lib.core.model_sections import FeatureExtractionParams
from stages.lib.heads.training_images import Training
from stages.lib.training.class_weights import image_weights


def training_of(images: FeatureSet, groups: np.ndarray, classes: int, params: FeatureExtractionParams) -> Training:
    """What a linear head learns from, with the class weights and mirror images that the parameters ask for.

    Args:
        images: features of the images.
        groups: int64 (images,), equal for images that belong together.
        classes: their number.
        params: section `feature_extraction` of params.yaml.
    """
    each = image_weights(images.labels, params.class_weights)
    weights = None if each is None else each.astype(np.float64)
    return Training(images.vectors, images.labels, groups, classes, images.mirrored, params.mirror, weights)
