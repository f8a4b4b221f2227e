"""What a model gives: a probability for each class, or of two classes that of the second alone."""

import numpy as np


def all_classes(outputs: np.ndarray) -> np.ndarray:
    """A probability for each class.

    Args:
        outputs: float (images, classes) or (images, 1), as a model gives them.

    Returns:
        The same dtype, (images, classes).
    """
    return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
