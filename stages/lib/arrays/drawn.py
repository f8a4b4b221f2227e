"""Some of many images, drawn so that no class is lost."""

import numpy as np
import pandas as pd


def drawn(labels: np.ndarray, most: int, least_of_class: int, seed: int) -> np.ndarray:
    """Draw about as many images as are allowed, of each class some in any case.

    Args:
        labels: int64 (images,).
        most: images to draw; more only where `least_of_class` asks for them.
        least_of_class: images of each class, or all that it has.
        seed: of what is drawn.

    Returns:
        int64 (drawn,): indices, in their order; all where there are no more than `most`.
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    number = pd.Series(order).groupby(labels[order]).cumcount().to_numpy()
    first = order[np.argsort(number >= least_of_class, kind="stable")]
    return np.sort(first[: max(most, int((number < least_of_class).sum()))])
