"""Use a trained classifier with numpy, Pillow and LiteRT alone: nothing that trained it is loaded.

Example:
    >>> import smallset
    >>> classifier = smallset.load("models/classifier")
    >>> classifier.predict("image.jpg")[0].label
    'cat'
"""

from pathlib import Path
from typing import TYPE_CHECKING

from smallset.errors import UserError

if TYPE_CHECKING:
    from smallset.inference.classifier import Classifier

__all__ = ["UserError", "load"]


def load(source: str | Path) -> "Classifier":
    """Load a classifier that the pipeline left.

    Args:
        source: the directory of a bundle, such as `models/classifier`, or a project that has one there.

    Returns:
        What predicts; the model itself stays on disk until it is needed.

    Raises:
        UserError: no bundle there, a damaged one, or one of a newer version.
    """
    # Whoever only reads images, as the stages do, loads no runtime.
    from smallset.inference.classifier import Classifier

    return Classifier(source)
