"""How bright and how sharp an image is, in figures that compare across sizes."""

import numpy as np
from PIL import Image

SIDE = 128  # pixels


def brightness(grey: Image.Image) -> float:
    """Mean grey of an image, in [0, 1].

    Args:
        grey: of mode "L".
    """
    return float(np.asarray(grey).mean() / 255)


def sharpness(grey: Image.Image) -> float:
    """Variance of the Laplacian of an image, in squared grey levels of 255: near 0 where it is blurred or plain.

    The image is scaled to 128 x 128 first: otherwise a larger image of one scene would count as blurred.
    Pech-Pacheco et al. (2000), "Diatom autofocusing in brightfield microscopy: a comparative study", 15th ICPR.

    Args:
        grey: of mode "L".
    """
    # Bilinear also upwards: the steps of a coarser filter would count as edges.
    scaled = grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return float(_laplacian(np.asarray(scaled, np.float32)).var())


def _laplacian(pixels: np.ndarray) -> np.ndarray:
    """As `scipy.ndimage.laplace`, which takes longer to load than a hundred images to decode."""
    padded = np.pad(pixels, 1, mode="symmetric")
    beside = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return beside - 4 * pixels
