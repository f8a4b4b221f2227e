"""What a classifier says of images, typed and as a table."""

from collections.abc import Iterable
from dataclasses import dataclass

PREFIX = "p_"  # of a column with the probability of a class


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one image.

    Attributes:
        index: place of the image among those that were given, from 0.
        path: as it was given; None of bytes and arrays.
        label: the likeliest class.
        probability: of it, in [0, 1].
        probabilities: of every class; they add up to 1.
    """

    index: int
    path: str | None
    label: str
    probability: float
    probabilities: dict[str, float]


class Predictions(list[Prediction]):
    """Predictions in the order of the images."""

    def table(self) -> dict[str, list[str | float | None]]:
        """Columns by name: path, predicted, and the probability of each class as `p_<class>`.

        The columns of `smallset predict`; `pandas.DataFrame(predictions.table())` makes a frame of them.
        """
        columns: dict[str, list[str | float | None]] = {
            "path": [one.path for one in self],
            "predicted": [one.label for one in self],
        }
        names = self[0].probabilities if self else {}
        return columns | {f"{PREFIX}{name}": [one.probabilities[name] for one in self] for name in names}


def of_probabilities(classes: Iterable[str], values: Iterable[float], index: int, path: str | None) -> Prediction:
    """The prediction that the probabilities of all classes make; of two equal ones the first class."""
    probabilities = dict(zip(classes, map(float, values), strict=True))
    label = max(probabilities, key=probabilities.__getitem__)
    return Prediction(index, path, label, probabilities[label], probabilities)
