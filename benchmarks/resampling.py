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

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.options import Json
from benchmarks.resampled_heads import Heads, Population, logistic, made_up, read, ridge
from benchmarks.resampled_rows import FOLDS, TRAIN, VALIDATION, Draw, row_of
from benchmarks.tables import show
from stages.lib.core.outputs import atomic_file
from stages.lib.resampling.classes import weakest
from stages.lib.resampling.figures import procedure
from stages.lib.resampling.learning_curve import growth
from stages.lib.resampling.repeated import Predict, Resampled, repeats_of, resample

IMAGES = (10, 25, 50)
_MEASURED = 2000  # images that measure a head, at most


@dataclass(frozen=True)
class Folder:
    """One folder that was drawn. accuracy: true ones of heads on shares of it, by share; 2 is with its growth."""

    found: Resampled
    accuracy: dict[float, float]


def draw(
    population: Population, head: Callable[[Population, int], Heads], images: int, seed: int, once: bool = False
) -> Folder:
    """Draw a folder, cross-validate it, and measure what is true."""
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
    return Folder(found, accuracy)


def kept(file: Path | None, measure: Callable[[], Folder]) -> Folder:
    """What is drawn, or what a file remembers of it."""
    if file is None or not file.is_file():
        folder = measure()
        if file is not None:
            with atomic_file(file) as partial, partial.open("wb") as stream:
                shares = np.array([*folder.accuracy, *folder.accuracy.values()])
                np.savez_compressed(stream, **asdict(folder.found), accuracy=shares.reshape(2, -1))
        return folder
    with np.load(file) as arrays:
        found = Resampled(**{name: arrays[name] for name in arrays.files if name != "accuracy"})
        return Folder(found, dict(arrays["accuracy"].T.tolist()))


def identity(population: Population, ridge_head: bool, once: bool) -> str:
    """Of what a draw is made of, but for the code: those of other images or heads are not taken for it."""
    found = hashlib.sha256(np.ascontiguousarray(population.vectors).tobytes())
    found.update(population.labels.tobytes() + bytes([ridge_head, once]))
    return found.hexdigest()[:12]


def judged(folder: Folder, seed: int) -> Draw:
    """What the stage would say of a folder, beside what is true."""
    now = procedure(folder.found)
    more = growth(folder.found, now, seed)
    gain, figure = (more.gain, more.figure) if more else (None, None)
    return Draw(now.figures[-1], gain, figure, weakest(folder.found).stands_out, folder.accuracy)


def main(
    features: Annotated[
        Path | None, typer.Argument(exists=True, help="Directory of the stage features; else made-up ones.")
    ] = None,
    images: Annotated[list[int] | None, typer.Option(min=5, help="Of each class; again for more cases.")] = None,
    draws: Annotated[int, typer.Option(min=2, help="Folders of a case.")] = 100,
    distance: Annotated[float, typer.Option(help="Of made-up classes, in spreads of the first feature.")] = 1.0,
    ridge_head: Annotated[bool, typer.Option("--ridge", help="Ridge regression in place of the head.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Heads choose once a half, as they do of many images.")] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keeps what is drawn; measuring goes on there. Another one for other code.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw folders, cross-validate them, and count what holds."""
    population = made_up(distance) if features is None else read(features)
    cases, head = images or list(IMAGES), ridge if ridge_head else logistic
    if 2 * max(cases) >= population.smallest:
        most = f"{(population.smallest - 1) // 2} at most: of each class twice as many are drawn, and others measure"
        raise typer.BadParameter(f"expected {most}. Received: {max(cases)}", param_hint="--images")
    made_of = identity(population, ridge_head, once)
    if keep:
        keep.mkdir(parents=True, exist_ok=True)

    def one(count: int, seed: int) -> Draw:
        file = keep / f"{made_of}-{count}-{seed}.npz" if keep else None
        return judged(kept(file, lambda: draw(population, head, count, seed, once)), seed)

    rows = [row_of(count, [one(count, seed) for seed in range(draws)]) for count in cases]
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
