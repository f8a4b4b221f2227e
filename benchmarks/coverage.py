"""How often the intervals of the report hold the true figure, which they promise 95 times in 100.

    python -m benchmarks.coverage
    python -m benchmarks.coverage --images 12 --images 50 --json

Of made-up models, `--repeats` times a case (in a quarter of them with 100 classes): 12 to 1,000 test images, 2 to 100
classes, of equal sizes and up to ten times as large as each other, from easy (area under the ROC curve .99) to hard
(.6), and perfect. The true figure is the mean over the repeats; of the average precision, which depends on how many
images there are, that is the one of test images of the same number and mixture.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Annotated

import numpy as np
import typer

from benchmarks.options import Json
from benchmarks.tables import show
from stages.lib.comparison.paired_accuracies import paired_difference
from stages.lib.evaluation import curves, intervals, metrics, rankings
from stages.lib.evaluation.intervals import Interval

IMAGES, CLASSES = (12, 50, 200, 1000), (2, 10, 100)
SKILLS = {"easy": 2.4, "medium": 1.28, "hard": 0.25, "perfect": 30.0}  # of a score of the right class, in its spread
LOW, HIGH = 0.93, 0.97
_SHARPNESS = 1.5  # of the probabilities: these models are surer than right
_RATIO = 10  # largest class to smallest

Measured = dict[str, list[Interval]]


@dataclass(frozen=True)
class Row:
    """Coverage of one figure in one case. error: Monte-Carlo standard error.

    flag: "low", below `LOW` by more than two errors; "over", above `HIGH`; or nothing.
    """

    figure: str
    images: int
    classes: int
    sizes: str
    difficulty: str
    true: float
    coverage: float
    error: float
    width: float
    flag: str


def sizes_of(images: int, classes: int, even: bool) -> np.ndarray:
    """Images of each class: int64 (classes,), at least one each, two where there are enough."""
    weights = np.ones(classes) if even else np.geomspace(1, _RATIO, classes)
    least = 2 if images >= 2 * classes else 1
    sizes = least + np.floor((images - least * classes) * weights / weights.sum()).astype(np.int64)
    sizes[classes - (images - sizes.sum()) :] += 1
    return sizes


def draw(rng: np.random.Generator, labels: np.ndarray, classes: int, skill: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of two models that err together half of the time: twice float64 (images, classes)."""
    shared, one, other = (rng.normal(size=(len(labels), classes)) for _ in range(3))
    found = []
    for own in (one, other):
        scores = _SHARPNESS * ((shared + own) / sqrt(2) + skill * np.eye(classes)[labels])
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        found.append(weights / weights.sum(axis=1, keepdims=True))
    return found[0], found[1]


def measured(labels: np.ndarray, one: np.ndarray, other: np.ndarray) -> Measured:
    """Every interval that the report shows of a model, by name; of classes and of bins of confidence several."""
    predicted = one.argmax(axis=1)
    right = predicted == labels
    found = {
        "accuracy": metrics.accuracy(right),
        "balanced accuracy": metrics.balanced_accuracy(labels, predicted),
        "area under ROC": rankings.roc_auc(labels, one),
        "average precision": rankings.average_precision(labels, one),
        "difference": paired_difference(right, other.argmax(axis=1) == labels),
    }
    counts = np.bincount(labels)
    recalls = np.bincount(labels[right], minlength=len(counts))
    several = {
        f"recall {place}": intervals.share(int(share), int(count))
        for place, (share, count) in enumerate(zip(recalls, counts, strict=True))
    }
    table = curves.reliability(labels, one)[["confidence", "accuracy", "low", "high"]].to_numpy(np.float64)
    bins = {f"bin {int(sure * curves.BINS)}": Interval(*ends) for sure, *ends in table.tolist()}
    return {name: [interval] for name, interval in (found | several | bins).items()}


def covered(labels: np.ndarray, classes: int, skill: float, repeats: int) -> dict[str, tuple[float, float, float, int]]:
    """Per figure: true value, coverage, mean width, intervals; those of classes, and of bins, taken together."""
    rng = np.random.default_rng(len(labels) + classes)
    found: Measured = {}
    for _ in range(repeats):
        for name, several in measured(labels, *draw(rng, labels, classes, skill)).items():
            found.setdefault(name, []).extend(several)
    families: dict[str, list[tuple[float, bool, float]]] = {}
    for name, several in found.items():
        table = np.array([(one.value, one.low, one.high) for one in several])
        true = table[:, 0].mean()
        held = (table[:, 1] <= true + 1e-9) & (true - 1e-9 <= table[:, 2])
        rows = zip(np.full(len(table), true), held, table[:, 2] - table[:, 1], strict=True)
        families.setdefault(_family(name), []).extend(rows)
    return {name: (*np.mean(rows, axis=0).tolist(), len(rows)) for name, rows in families.items()}


def _family(name: str) -> str:
    return {"recall": "recall of a class", "bin": "bin of confidence"}.get(name.split(maxsplit=1)[0], name)


def rows_of(images: int, classes: int, even: bool, difficulty: str, repeats: int) -> Iterator[Row]:
    """Simulate one case."""
    labels = np.repeat(np.arange(classes), sizes_of(images, classes, even))
    times = max(2, repeats // 4) if classes == max(CLASSES) else repeats
    for figure, (true, coverage, width, _) in covered(labels, classes, SKILLS[difficulty], times).items():
        error = sqrt(max(coverage * (1 - coverage), 0.05 * 0.95) / times)
        flag = "low" if coverage + 2 * error < LOW else "over" if coverage > HIGH else ""
        sizes = "even" if even else "uneven"
        yield Row(figure, images, classes, sizes, difficulty, true, coverage, error, width, flag)


def main(
    images: Annotated[
        list[int] | None, typer.Option(min=2, help="Test images, again for more; else 12 to 1,000.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=2, help="Sets of test images of a case.")] = 400,
    as_json: Json = False,
) -> None:
    """Measure the coverage of each interval, case by case, and print it."""
    cases = [
        (count, classes, even, difficulty)
        for count in images or IMAGES
        for classes in CLASSES
        for even in (True, False)
        for difficulty in SKILLS
        if classes <= count and (even or count > 2 * classes)
    ]
    rows = sorted(
        (row for case in cases for row in rows_of(*case, repeats)),
        key=lambda row: (row.figure, row.images, row.classes),
    )
    if as_json:
        typer.echo(json.dumps({"repeats": repeats, "level": intervals.LEVEL, "rows": [asdict(row) for row in rows]}))
        return
    show(
        ("figure", "classes", "images", "sizes", "difficulty", "true", "coverage", "+-", "width", ""),
        (
            (
                *(row.figure, str(row.classes), str(row.images), row.sizes, row.difficulty, f"{row.true:.3f}"),
                *(f"{row.coverage:.3f}", f"{row.error:.3f}", f"{row.width:.3f}", row.flag),
            )
            for row in rows
        ),
        title=f"Coverage of the 95 % intervals, {repeats} repeats; +-: its error; low: below 93 % by two; over: > 97 %",
    )
    typer.echo(
        "Above 97 % is where counts leave nothing between, few images or few errors: one interval more or less is then "
        "several per cent, and these never hold less than they say. A perfect model's always hold."
    )


if __name__ == "__main__":
    typer.run(main)
