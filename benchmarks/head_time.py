"""How long the head of `feature_extraction` takes, cross-validation and all, beside `LogisticRegressionCV`, in turns.

    python -m benchmarks.head_time
    python -m benchmarks.head_time --images 5000 --channels 1280 --classes 5 --turns 3 --json

Features are made up: of each class another mean, directions that all classes share, and noise, cut off at 0 as pooled
features are; the mirrored image of each differs by noise. Ours learns from both and tries its strengths with all copies
of an image in one fold; scikit-learn's learns from the standardised images alone, 5 folds, 8 strengths. "right" is the
share of as many other images.
"""

from functools import partial
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks import sides
from benchmarks.options import Json
from benchmarks.sides import timed

_SHARED = 64  # directions in which all classes vary

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def made_up(images: int, channels: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, those of mirrored images, float32 (images, channels) each, and labels int64 (images,)."""
    world, rng = np.random.default_rng(0), np.random.default_rng(seed)
    means = world.normal(0, 0.15, (classes, channels))
    directions = world.normal(0, 1, (_SHARED, channels)) / np.sqrt(_SHARED)
    labels = np.arange(images) % classes
    both = means[labels] + rng.normal(0, 1, (images, _SHARED)) @ directions
    own, mirrored = (np.maximum(both + rng.normal(0, 0.5, both.shape), 0).astype(np.float32) for _ in range(2))
    return own, mirrored, labels.astype(np.int64)


class Head:
    """Ours."""

    def __init__(self, images: int, channels: int, classes: int) -> None:
        """Make up the features."""
        self.train, self.test, self.classes = (*(made_up(images, channels, classes, seed) for seed in (1, 2)), classes)
        self.right = 0.0

    def turn(self) -> dict[str, float]:
        """Choose the strength, and learn."""
        return {"head": timed(self.learn)}

    def learn(self) -> None:
        """Once."""
        from stages.lib.heads import logistic

        vectors, mirrored, labels = self.train
        head = logistic.fit(vectors, labels, np.arange(len(labels)), self.classes, 0, mirrored)
        own, other, tested = self.test
        self.right = float((head.logits((own + other) / 2).argmax(axis=1) == tested).mean())

    def about(self) -> dict[str, Any]:
        """Share of other images that is right."""
        return {"right": f"{self.right:.3f}"}


class Plain(Head):
    """scikit-learn's."""

    def learn(self) -> None:
        """Once."""
        from benchmarks.few_features import strength_by_cross_validation

        vectors, _, labels = self.train
        model = strength_by_cross_validation(labels, 0).fit(vectors, labels)
        self.right = float((model.predict(self.test[0]) == self.test[2]).mean())


@app.command()
def main(
    images: Annotated[int, typer.Option(min=20, help="To learn from.")] = 5000,
    channels: Annotated[int, typer.Option(min=1, help="Of a feature vector.")] = 1280,
    classes: Annotated[int, typer.Option(min=2, help="Of equal size.")] = 2,
    turns: Annotated[int, typer.Option(min=1, help="How often both are measured.")] = 3,
    as_json: Json = False,
) -> None:
    """Measure both."""
    both: dict[str, Any] = {
        name: partial(side, images, channels, classes)
        for name, side in (("head", Head), ("LogisticRegressionCV", Plain))
    }
    title = f"{images} images, {channels} channels, {classes} classes"
    sides.show(title, sides.measure(both, turns), {"head": images}, as_json)


if __name__ == "__main__":
    app()
