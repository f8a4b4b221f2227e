"""Where the recommended model fails: what it takes for what most often, and the class that it finds least."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stages.lib.comparison.evaluations import Evaluation
from stages.lib.evaluation import metrics
from stages.lib.page import classes
from stages.lib.page.thumbnails import embedded_all

_CONFUSIONS = 2  # shown
_EXAMPLES = 4  # images shown of each
_SIDE = 256  # pixels


@dataclass(frozen=True)
class Example:
    """An image that was predicted as another class.

    Attributes:
        confidence: probability of the predicted class.
        address: the image itself.
    """

    path: str
    confidence: float
    address: str


@dataclass(frozen=True)
class Mistake:
    """Images of one class that were predicted as another.

    Attributes:
        images: how many.
        of: test images of the actual class.
        examples: those of which the model was surest.
    """

    actual: str
    predicted: str
    images: int
    of: int
    examples: list[Example]


@dataclass(frozen=True)
class Weakest:
    """The class of which the smallest share is found, among those that stand out where any does.

    Attributes:
        recall: share of its test images that is found, with its 95 % interval.
        others: share of all other test images that is found.
        stands_out: whether that is more than chance, of as many classes as there are.
    """

    name: str
    images: int
    recall: float
    low: float
    high: float
    others: float
    stands_out: bool


@dataclass(frozen=True)
class Failures:
    """Both; no mistakes where none was made, no weakest class where only one was tested or all are found alike."""

    mistakes: list[Mistake]
    weakest: Weakest | None


def failures(one: Evaluation, dataset: Path) -> Failures:
    """Look at the errors of a model on the test images.

    Args:
        one: the recommended model.
        dataset: what the paths of images start from.
    """
    rows = classes.confusion(one).most.head(_CONFUSIONS).to_dict("records")
    return Failures([_mistake(one, dataset, row["actual"], row["predicted"]) for row in rows], _weakest(one))


def _mistake(one: Evaluation, dataset: Path, actual: str, predicted: str) -> Mistake:
    table = one.predictions[["path", "label", "predicted"]].assign(confidence=one.confidence)
    own = table[table["label"] == actual]
    found = own[own["predicted"] == predicted]
    first = found.sort_values(["confidence", "path"], ascending=[False, True]).head(_EXAMPLES)
    addresses = embedded_all((dataset / path for path in first["path"]), _SIDE)
    rows = zip(first["path"], first["confidence"], addresses, strict=True)
    examples = [Example(path, float(confidence), address) for path, confidence, address in rows]
    return Mistake(actual, predicted, len(found), len(own), examples)


def _weakest(one: Evaluation) -> Weakest | None:
    tested = one.per_class[one.per_class["images"] > 0]
    if len(tested) < 2:
        return None
    tested = tested.sort_values(["recall", "recall_high", "class"])
    images = tested["images"].to_numpy(np.int64)
    found = (images * tested["recall"]).round().to_numpy(np.int64)
    shares = found / images
    # Recalls of the table are rounded: by them classes that are found alike might differ.
    if shares.min() == shares.max():
        return None
    place, others, stands_out = metrics.weakest(shares, images)
    recall, low, high = (float(tested[key].iloc[place]) for key in ("recall", "recall_low", "recall_high"))
    return Weakest(str(tested["class"].iloc[place]), int(images[place]), recall, low, high, others, stands_out)
