"""What each model does class by class, bounded: tables of forty classes are read, of a thousand they are not."""

from dataclasses import dataclass

import pandas as pd

from stages.lib.comparison.evaluations import Evaluation

MATRIX = 50  # classes up to which the whole confusion matrix is shown
ROWS = 60  # classes listed
PAIRS = 10  # most frequent confusions listed


@dataclass(frozen=True)
class Confusion:
    """Which classes a model takes for which.

    Attributes:
        matrix: counts, rows of actual, columns of predicted class; None where it is too large to be read.
        most: actual, predicted, images, share of the actual class: the most frequent mistakes.
    """

    matrix: pd.DataFrame | None
    most: pd.DataFrame


@dataclass(frozen=True)
class PerClass:
    """The figures of each class.

    Attributes:
        table: class, images, precision, recall, recall_low, recall_high, f1; the smallest recall first, classes without
            a test image last.
        left_out: classes that are not listed, those found best.
    """

    table: pd.DataFrame
    left_out: int


def confusion(one: Evaluation) -> Confusion:
    """Which class is taken for which."""
    table = one.predictions
    wrong = table[~one.right]
    most = wrong.groupby(["label", "predicted"]).size().rename("images").reset_index()
    # Of no mistake the labels are text that nothing is divided by.
    most["share"] = most["images"] / most["label"].map(table["label"].value_counts()).astype(float)
    most = most.rename(columns={"label": "actual"})
    most = most.sort_values(["images", "actual", "predicted"], ascending=[False, True, True]).head(PAIRS)
    if len(one.classes) > MATRIX:
        return Confusion(None, most)
    matrix = pd.crosstab(table["label"], table["predicted"])
    return Confusion(matrix.reindex(index=one.classes, columns=one.classes, fill_value=0), most)


def per_class(one: Evaluation) -> PerClass:
    """Precision, recall and F1 of each class, the worst first; of very many only these."""
    tested = one.per_class.assign(untested=one.per_class["images"] == 0)
    table = tested.sort_values(["untested", "recall", "f1", "class"]).head(ROWS).drop(columns="untested")
    return PerClass(table, len(tested) - len(table))
