"""Whether cross-validation and its learning curve hold what they say, and what training on more images brings.

    python -m benchmarks.resampling
    python -m benchmarks.resampling data/features --images 10 --images 50 --draws 200 --ridge --json

data/features is what the stage `features` wrote; without it, made-up features of two classes that are equally hard. Of
these images, `--draws` times a case, so many of each class are a folder of their own, as many more are its growth, and
the rest, which nothing has seen, measures every head. `--ridge` takes ridge regression, its strength by leaving one
out, in place of the logistic regression, which takes much longer. A row has

- coverage: how often the interval of the procedure holds its true figure, the mean over the draws of heads trained on
  as many images as those of the cross-validation; "own": how often it holds that of the head on all images drawn;
- gain: how often the interval of the prediction holds what twice the images did bring; "figure": what they came to;
- named: how often a class is said to need images most (of made-up classes that is wrong each time);
- refit: points that training on validation images too (60 %), or on all, brings over the training images alone (40 %).
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.options import Json
from benchmarks.tables import show
from stages.lib.arrays import feature_files
from stages.lib.arrays.rows import Picked
from stages.lib.evaluation.intervals import Interval
from stages.lib.images.manifest import SUBSETS
from stages.lib.resampling.classes import weakest
from stages.lib.resampling.figures import procedure
from stages.lib.resampling.head import LinearHeads
from stages.lib.resampling.learning_curve import growth
from stages.lib.resampling.repeated import Predict, repeats_of, resample

IMAGES = (10, 25, 50)
FOLDS = 5
TRAIN, VALIDATION = 0.4, 0.6  # shares: of training images, of these and validation images together
_MEASURED = 2000  # images that measure a head, at most
_CHANNELS, _MADE = 64, 20_000
_STRENGTHS = 10.0 ** np.arange(-1, 4)  # of ridge regression, an image


@dataclass(frozen=True)
class Population:
    """All images there are. vectors: float32 (images, channels). labels: int64 (images,)."""

    vectors: np.ndarray
    labels: np.ndarray

    @property
    def classes(self) -> int:
        """Their number."""
        return int(self.labels.max()) + 1


@dataclass(frozen=True)
class Draw:
    """One folder. accuracy: true ones of heads on shares of it, by share; 2 is with its growth."""

    now: Interval
    gain: Interval | None
    figure: Interval | None
    named: bool
    accuracy: dict[float, float]


@dataclass(frozen=True)
class Row:
    """One case. error: Monte-Carlo standard error of the shares. Gains are means with their standard errors, points."""

    images: int
    draws: int
    true: float
    estimate: float
    coverage: float
    own: float
    width: float
    gain: float
    figure: float
    error: float
    predicted: float
    brought: float
    named: float
    refit_validation: tuple[float, float]
    refit_all: tuple[float, float]


def made_up(distance: float) -> Population:
    """Two classes that are equally hard, of normal features of which few count."""
    rng = np.random.default_rng(0)
    labels = np.arange(_MADE) % 2
    spread = 1 / np.sqrt(1 + np.arange(_CHANNELS))
    side = rng.normal(size=_CHANNELS) * spread
    vectors = rng.normal(size=(_MADE, _CHANNELS)) * spread
    vectors += (labels[:, np.newaxis] - 0.5) * distance * side / np.linalg.norm(side)
    return Population(vectors.astype(np.float32), labels)


def read(features: Path) -> Population:
    """The images of all subsets."""
    sets = [feature_files.read(features, subset) for subset in SUBSETS]
    vectors = [one.vectors[np.arange(len(one.labels))] for one in sets]
    return Population(np.concatenate(vectors), np.concatenate([one.labels for one in sets]))


@dataclass(frozen=True)
class Heads:
    """As `resample` takes them."""

    predict: Predict
    chosen_on: Callable[[np.ndarray], Predict] | None


def logistic(population: Population, seed: int) -> Heads:
    """The head of the stages."""
    every = np.arange(len(population.labels))
    heads = LinearHeads(Picked([population.vectors], every), None, population.labels, every, population.classes, seed)
    return Heads(heads.predict, heads.chosen_on)


def ridge(population: Population, seed: int) -> Heads:
    """A classifier by least squares."""
    del seed

    def predict(trained: np.ndarray, asked: np.ndarray) -> np.ndarray:
        model = make_pipeline(StandardScaler(), RidgeClassifierCV(_STRENGTHS * len(trained)))
        model.fit(population.vectors[trained], population.labels[trained])
        return model.predict(population.vectors[asked])

    return Heads(predict, None)


def draw(
    population: Population, head: Callable[[Population, int], Heads], images: int, seed: int, once: bool = False
) -> Draw:
    """Draw a folder, say what cross-validation says of it, and measure what is true."""
    rng = np.random.default_rng([seed, images])
    orders = [rng.permutation(np.flatnonzero(population.labels == label)) for label in range(population.classes)]
    rest = rng.permutation(np.concatenate([order[2 * images :] for order in orders]))[:_MEASURED]

    def some(share: float) -> np.ndarray:
        return np.concatenate([order[: round(share * images)] for order in orders])

    every = head(population, seed)
    shares = (TRAIN, VALIDATION, 1 - 1 / FOLDS, 1, 2)
    accuracy = {share: float((every.predict(some(share), rest) == population.labels[rest]).mean()) for share in shares}
    own, chosen_on = some(1), every.chosen_on

    def among(predict: Predict) -> Predict:
        return lambda trained, asked: predict(own[trained], own[asked])

    found = resample(
        population.labels[own],
        np.arange(len(own)),
        among(every.predict),
        FOLDS,
        repeats_of("auto", len(own)),
        seed,
        (lambda picked: among(chosen_on(own[picked]))) if once and chosen_on else None,
        shown=False,
    )
    now = procedure(found)
    more = growth(found, now, seed)
    named = weakest(found).stands_out
    gain, figure = (more.gain, more.figure) if more else (None, None)
    return Draw(now.figures[-1], gain, figure, named, accuracy)


def row_of(images: int, draws: list[Draw]) -> Row:
    """What the draws of one case come to."""
    true = float(np.mean([one.accuracy[1 - 1 / FOLDS] for one in draws]))
    predicted = [one for one in draws if one.gain is not None]
    gains = [one.accuracy[2] - one.accuracy[1] for one in predicted]
    held = [(one.gain, gain) for one, gain in zip(predicted, gains, strict=True)]
    return Row(
        images,
        len(draws),
        true,
        float(np.mean([one.now.value for one in draws])),
        _holding((one.now, true) for one in draws),
        _holding((one.now, one.accuracy[1]) for one in draws),
        float(np.mean([one.now.high - one.now.low for one in draws])),
        _holding(held),
        _holding((one.figure, one.accuracy[2]) for one in predicted),
        sqrt(0.95 * 0.05 / len(draws)),
        float(np.mean([one.gain.value for one in predicted if one.gain])),
        float(np.mean(gains)),
        float(np.mean([one.named for one in draws])),
        _points([one.accuracy[VALIDATION] - one.accuracy[TRAIN] for one in draws]),
        _points([one.accuracy[1] - one.accuracy[TRAIN] for one in draws]),
    )


def _holding(pairs: Iterable[tuple[Interval | None, float]]) -> float:
    return float(np.mean([found is not None and found.low <= true <= found.high for found, true in pairs]))


def _points(differences: list[float]) -> tuple[float, float]:
    found = 100 * np.array(differences)
    return float(found.mean()), float(found.std(ddof=1) / sqrt(len(found)))


def main(
    features: Annotated[Path | None, typer.Argument(help="Directory of the stage features; else made-up ones.")] = None,
    images: Annotated[list[int] | None, typer.Option(min=5, help="Of each class; again for more cases.")] = None,
    draws: Annotated[int, typer.Option(min=2, help="Folders of a case.")] = 100,
    distance: Annotated[float, typer.Option(help="Of made-up classes, in spreads of the first feature.")] = 1.0,
    ridge_head: Annotated[bool, typer.Option("--ridge", help="Ridge regression in place of the head.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Heads choose once a half, as they do of many images.")] = False,
    as_json: Json = False,
) -> None:
    """Draw folders, cross-validate them, and count what holds."""
    population = made_up(distance) if features is None else read(features)
    cases, head = images or list(IMAGES), ridge if ridge_head else logistic
    rows = [row_of(count, [draw(population, head, count, seed, once) for seed in range(draws)]) for count in cases]
    if as_json:
        about = {"features": str(features or "made up"), "head": "ridge" if ridge_head else "logistic", "once": once}
        typer.echo(json.dumps(about | {"rows": [asdict(row) for row in rows]}))
        return
    show(
        (
            *("images", "draws", "true", "estimate", "coverage", "own", "width", "gain", "figure", "+-", "predicted"),
            *("brought", "named", "refit validation", "refit all"),
        ),
        ([str(value) if isinstance(value, int) else _text(value) for value in asdict(row).values()] for row in rows),
        title="95 % intervals of the procedure and of its growth; images of each class; refit in points",
        width=150,
    )


def _text(value: float | tuple[float, float]) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value[0]:+.2f} +- {value[1]:.2f}"


if __name__ == "__main__":
    typer.run(main)
