"""The methods of `benchmarks.few_images` that learn from the features of a frozen backbone."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.few_tasks import Split, Task
from stages.lib.core.params import Params

_FOLDS = 5
_MOST_ITERATIONS = 2000


@dataclass(frozen=True)
class Cell:
    """What a method gets.

    Attributes:
        sections: the sections of params.yaml with the parameters of the method.
        features: of the task's images and of the mirrored images, float32 (images, channels) each.
        seed: of the split, and of the training.
    """

    task: Task
    split: Split
    sections: dict[str, Params]
    features: tuple[np.ndarray, np.ndarray]
    seed: int

    @property
    def common(self) -> Any:
        """Section `common` for this task and seed."""
        return self.task.common.model_copy(update={"seed": self.seed, "deterministic": True})

    def tested(self, mirror: bool) -> np.ndarray:
        """Features of the test images, float32 (images, channels); with `mirror` the mean with those mirrored."""
        vectors, mirrored = (one[self.split.test] for one in self.features)
        return (vectors + mirrored) / 2 if mirror else vectors


def head_of_stage(cell: Cell, head: str | None = None) -> np.ndarray:
    """The head that `feature_extraction` makes: chosen, and fitted or trained.

    Args:
        head: in place of the one that the parameters ask for.
    """
    from stages.lib.arrays.feature_files import FeatureSet
    from stages.lib.heads.choice import choose

    params: Any = cell.sections["feature_extraction"]
    params = params if head is None else params.model_copy(update={"head": head})
    features: Any = cell.sections["features"]
    train, task = cell.split.train, cell.task
    vectors, mirrored = (one[train] for one in cell.features)
    names = [task.names[row] for row in train]
    learned = FeatureSet(vectors, task.labels[train], names, mirrored if features.mirror else None)
    found = choose(learned, np.arange(len(train)), len(task.classes), cell.common, params)
    if found.head is None:
        return _trained_head(cell, params)
    return found.head.probabilities(cell.tested(params.mirror))


def _trained_head(cell: Cell, params: Any) -> np.ndarray:
    import keras

    from smallset.outputs import all_classes
    from stages.lib.networks import build
    from stages.lib.training import loop
    from stages.lib.training.run import start_run

    (vectors, _), labels = cell.features, cell.task.labels
    train, validation = cell.split.train, cell.split.validation
    keras.utils.set_random_seed(cell.seed)
    stack = build.head_layers(params.units, params.activation, params.dropout, len(cell.task.classes))
    head = build.head(stack, vectors.shape[1])
    with scratch_folder():
        run = start_run("feature_extraction", cell.common, params, [])
        validate = loop.validate_on(head, vectors[validation], labels[validation], cell.common.batch_size)
        loop.train(run, head, vectors[train], labels[train], validate)
    return all_classes(head.predict(cell.tested(params.mirror), verbose=0).astype(np.float64))


def logistic_regression(cell: Cell, mirror: bool = False) -> np.ndarray:
    """`LogisticRegressionCV` on standardised features.

    Args:
        mirror: it learns from those of the mirrored images too, and judges the mean of both, as the stage does.
    """
    train = cell.split.train
    copies = cell.features if mirror else cell.features[:1]
    vectors, labels = np.concatenate([one[train] for one in copies]), cell.task.labels[train]
    model = strength_by_cross_validation(labels, cell.seed, len(copies))
    return model.fit(vectors, np.tile(labels, len(copies))).predict_proba(cell.tested(mirror))


def strength_by_cross_validation(labels: np.ndarray, seed: int, copies: int = 1) -> Any:
    """scikit-learn's logistic regression behind its scaler, not fitted yet.

    Args:
        labels: int64 (images,).
        seed: decides the folds.
        copies: rows of each image that it will be fitted to: all images once, and so on. They stay in one fold.
    """
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    starts = len(labels) * np.arange(copies)
    folds = _folds(labels, seed).split(labels, labels)
    model = LogisticRegressionCV(
        Cs=np.logspace(-5, 2, 8),
        l1_ratios=(0,),
        cv=[[np.add.outer(starts, part).ravel() for part in fold] for fold in folds],
        scoring="neg_log_loss",
        max_iter=_MOST_ITERATIONS,
        use_legacy_attributes=False,
    )
    return make_pipeline(StandardScaler(), model)


def support_vectors(cell: Cell) -> np.ndarray:
    """`SVC` on standardised features; kernel and strength by cross-validation, probabilities by Platt's method."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    (vectors, _), labels = cell.features, cell.task.labels[cell.split.train]
    folds = _folds(labels, cell.seed)
    tried = [{"kernel": ["linear"], "C": [1e-4, 1e-3, 1e-2, 1e-1]}, {"kernel": ["rbf"], "C": [0.1, 1.0, 10.0, 100.0]}]
    search = make_pipeline(StandardScaler(), GridSearchCV(SVC(), tried, cv=folds))
    chosen = search.fit(vectors[cell.split.train], labels)[-1].best_params_
    # Chosen first, once: machines of other kernels and strengths in each fold would be calibrated as if they were one.
    model = make_pipeline(StandardScaler(), CalibratedClassifierCV(SVC(**chosen), cv=folds, ensemble=False))
    return model.fit(vectors[cell.split.train], labels).predict_proba(vectors[cell.split.test])


def nearest_neighbours(cell: Cell) -> np.ndarray:
    """`KNeighborsClassifier` on features of length 1; their number by cross-validation."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    (vectors, _), labels = cell.features, cell.task.labels[cell.split.train]
    # No more neighbours than the smallest part to train on has images.
    numbers = [number for number in (1, 3, 5, 9, 15, 25) if number <= len(labels) // 2]
    search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": numbers}, cv=_folds(labels, cell.seed))
    model = make_pipeline(Normalizer(), search)
    return model.fit(vectors[cell.split.train], labels).predict_proba(vectors[cell.split.test])


def _folds(labels: np.ndarray, seed: int) -> Any:
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(min(_FOLDS, int(np.bincount(labels).min())), shuffle=True, random_state=seed)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary working directory, below which trainings keep their states; what they print goes nowhere."""
    with (
        tempfile.TemporaryDirectory() as folder,
        chdir(folder),
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        redirect_stdout(nowhere),
    ):
        yield Path(folder)
