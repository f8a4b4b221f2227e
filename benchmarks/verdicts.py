"""How right the verdict by balanced accuracy is: level and power of its test, coverage of its interval, by simulation.

    python -m benchmarks.verdicts

Pairs of models are drawn that are right on each class as often as the column "models" says; then counted on test
images of `classes` classes, the largest `mix` times the smallest, half of them small. "shown" is how often a
difference is shown: of equal models the level, at most 5 %; else the power. "plain" is the same of McNemar's test,
which counts images. "covered" is how often the interval holds the true difference, 95 % wanted; more where few
images tell the models apart, or where small classes and large ones differ in opposite ways. "at odds" is how often
p < 0.05 and the interval holds 0, or the other way round.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
import typer
from statsmodels.stats.contingency_tables import mcnemar

from benchmarks.options import Json
from benchmarks.tables import show
from stages.lib.comparison.balanced_comparisons import Disagreements, balanced_difference, balanced_test

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

IMAGES, CLASSES, MIXES = (12, 50, 200, 1000), (2, 10, 100), (3, 20)
# Shares of a small class, and of a large one, that just the one and just the other model gets right.
MODELS = {
    "equal, good": ((0.05, 0.05), (0.05, 0.05)),
    "equal, poor": ((0.15, 0.15), (0.15, 0.15)),
    "equal, sure": ((0.01, 0.01), (0.01, 0.01)),
    "equal, each better at some": ((0.2, 0.05), (0.05, 0.2)),
    "one better": ((0.12, 0.02), (0.12, 0.02)),
    "one much better": ((0.4, 0.02), (0.4, 0.02)),
    "other says the largest": ((0.8, 0.0), (0.0, 0.05)),
}


@dataclass(frozen=True)
class Row:
    """One case; shares of the repeats, and the mean width of the interval."""

    images: int
    classes: int
    mix: int
    models: str
    difference: float
    shown: float
    plain: float
    covered: float
    width: float
    at_odds: float


def sizes(images: int, classes: int, mix: int) -> np.ndarray:
    """Test images of each class, int64 (classes,), at least one; the first half are the small ones."""
    weights = np.where(np.arange(classes) < classes // 2, 1, mix)
    found = np.maximum(1, images * weights // weights.sum())
    found[-1] += max(0, images - found.sum())
    return found


def measure(images: int, classes: int, mix: int, models: str, repeats: int, rng: np.random.Generator) -> Row:
    """Draw both models so many times, and see how right the verdict is."""
    counts = sizes(images, classes, mix)
    small, large = MODELS[models]
    shares = np.array([small if place < classes // 2 else large for place in range(classes)])
    truth = float((shares[:, 0] - shares[:, 1]).mean())
    shown, plain, covered, width, at_odds = np.zeros((5, repeats))
    for turn in range(repeats):
        one, other, _ = rng.multinomial(counts, np.c_[shares, 1 - shares.sum(axis=1)]).T
        found = Disagreements(counts, one, other)
        interval, p = balanced_difference(found), balanced_test(found)
        shown[turn] = p < 0.05
        plain[turn] = mcnemar([[0, one.sum()], [other.sum(), 0]], exact=True).pvalue < 0.05
        covered[turn] = interval.low - 1e-12 <= truth <= interval.high + 1e-12
        width[turn] = interval.high - interval.low
        at_odds[turn] = (p < 0.05) == (interval.low <= 0 <= interval.high)
    means = [float(values.mean()) for values in (shown, plain, covered, width, at_odds)]
    return Row(int(counts.sum()), classes, mix, models, truth, *means)


def rows(repeats: int, seed: int) -> Iterator[Row]:
    """Every case in which each class has an image."""
    rng = np.random.default_rng(seed)
    for classes in CLASSES:
        for images in IMAGES:
            for mix in MIXES:
                for models in MODELS if classes <= images else ():
                    yield measure(images, classes, mix, models, repeats, rng)


@app.command()
def main(
    repeats: Annotated[int, typer.Option(min=1, help="Pairs of models drawn of each case.")] = 500,
    seed: int = 0,
    as_json: Json = False,
) -> None:
    """Simulate every case and print it."""
    found = list(rows(repeats, seed))
    error = 100 * (0.95 * 0.05 / repeats) ** 0.5
    if as_json:
        print(json.dumps({"repeats": repeats, "seed": seed, "rows": [asdict(row) for row in found]}, indent=2))
        return
    columns = ["models", "classes", "images", "mix", "truth", "shown", "plain", "covered", "width", "at odds"]
    show(
        columns,
        [
            [
                *(row.models, str(row.classes), f"{row.images:,}", f"1:{row.mix}", f"{100 * row.difference:+.1f}"),
                *(f"{100 * share:.1f}" for share in (row.shown, row.plain, row.covered, row.width, row.at_odds)),
            ]
            for row in found
        ],
        f"{repeats:,} repeats; per cent and points; standard error of 5 % and of 95 %: {error:.1f}",
    )


if __name__ == "__main__":
    app()
