"""Images of something else as a model sees them: no choice is made by them."""

import numpy as np

from smallset.images.in_memory import from_array
from stages.lib.deciding.distances import Distance
from stages.lib.deciding.vectors import Seen
from stages.lib.drawing.foreign import KINDS, draw_foreign

IMAGES = 60  # of each kind


def judged(seen: Seen, distance: Distance, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Draw images of each kind and judge them.

    Args:
        seen: the model.
        distance: to its training images.
        seed: of the drawing.

    Returns:
        By kind: probabilities float64 (images, classes), distances float64 (images,).
    """
    found = {}
    for kind in KINDS:
        drawn = (np.asarray(draw_foreign(kind, index, seed)) for index in range(IMAGES))
        pixels = np.stack([from_array(image, seen.size, seen.color, seen.resizing) for image in drawn])
        probabilities, features = seen.both(pixels)
        found[kind] = probabilities, distance.of(features)
    return found
