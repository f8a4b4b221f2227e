"""What a classifier says of images, typed and as a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from smallset.inference.decisions import Decision

PREFIX = "p_"  # of a column with the probability of a class


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one image.

    Attributes:
        index: place of the image among those that were given, from 0.
        path: as it was given; None of bytes and arrays.
        label: the likeliest class, or the one that another rule of the bundle takes (`Decisions`).
        probability: of it, in [0, 1].
        probabilities: of every class; they add up to 1.
        decision: sure, unsure (too likely wrong) or unknown (like no image of the training); None: the bundle has no
            limits.
        distance: to the training images; above the bundle's `unknown_above` it is unknown. None: not computed.
    """

    index: int
    path: str | None
    label: str
    probability: float
    probabilities: dict[str, float]
    decision: Decision | None = None
    distance: float | None = None


class Predictions(list[Prediction]):
    """Predictions in the order of the images."""

    def table(self) -> dict[str, list[str | float | None]]:
        """Columns by name: path, predicted, the decision where there are limits, and probabilities as `p_<class>`.

        The columns of `smallset predict`; `pandas.DataFrame(predictions.table())` makes a frame of them.
        """
        columns: dict[str, list[str | float | None]] = {
            "path": [one.path for one in self],
            "predicted": [one.label for one in self],
        }
        if self and self[0].decision is not None:
            columns["decision"] = [one.decision for one in self]
        names = self[0].probabilities if self else {}
        return columns | {f"{PREFIX}{name}": [one.probabilities[name] for one in self] for name in names}


def of_probabilities(
    classes: Sequence[str],
    values: Sequence[float],
    index: int,
    path: str | None,
    *,
    place: int | None = None,
    decision: Decision | None = None,
    distance: float | None = None,
) -> Prediction:
    """The prediction that the probabilities of all classes make.

    Args:
        classes: names.
        values: probabilities in their order.
        index: place of the image among others.
        path: its path, if it has one.
        place: of the predicted class; None: the likeliest, of two equal ones the first.
        decision: as of `Prediction`; so is `distance`.
        distance: as of `Prediction`.
    """
    probabilities = dict(zip(classes, map(float, values), strict=True))
    label = max(probabilities, key=probabilities.__getitem__) if place is None else classes[place]
    return Prediction(index, path, label, probabilities[label], probabilities, decision, distance)
