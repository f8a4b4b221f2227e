"""Images to draw folders from, and the heads that `benchmarks.resampling` tries on them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stages.lib.arrays import feature_files
from stages.lib.arrays.rows import Picked
from stages.lib.images.manifest import SUBSETS
from stages.lib.resampling.head import LinearHeads
from stages.lib.resampling.repeated import Predict

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

    @property
    def smallest(self) -> int:
        """Images of the smallest class."""
        return int(np.bincount(self.labels).min())


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
