"""How good the trained head is, by cross-validation, beside a linear one."""

import keras
import numpy as np

from smallset.outputs import all_classes
from stages.lib.arrays.feature_files import FeatureSet
from stages.lib.core.model_sections import FeatureExtractionParams
from stages.lib.core.params import CommonParams
from stages.lib.heads.cross_validation import divisions
from stages.lib.networks import build
from stages.lib.training import loop
from stages.lib.training.batches import passes, steps, training_batches
from stages.lib.training.class_weights import class_weights, image_weights

_FAINTEST = 1e-7  # probability


def losses(
    train: FeatureSet,
    images: np.ndarray,
    groups: np.ndarray,
    classes: int,
    common: CommonParams,
    params: FeatureExtractionParams,
) -> np.ndarray:
    """Cross-entropy of each image by trained heads that have not seen it, in the epoch that is best for all together.

    The stage keeps the best epoch by the validation images, which no choice between heads may use; the best of all
    folds together takes their place. That flatters the trained head a little.

    Args:
        train: features of the training images.
        images: int64 (chosen,), indices of those to divide.
        groups: int64 (chosen,), equal for images that belong together.
        classes: their number.
        common: seed and batch size.
        params: the head and its training.

    Returns:
        float64 (chosen,), in nats.
    """
    vectors, labels = train.vectors[images], train.labels[images]
    mirrored = train.mirrored if params.mirror else None
    asked = vectors if mirrored is None else (vectors + mirrored[images]) / 2
    division = divisions(labels, groups, common.seed, times=1)[0]
    found = np.zeros((params.epochs, len(labels)))
    keras.utils.set_random_seed(common.seed)
    stack = build.head_layers(params.units, params.activation, params.dropout, classes)
    head = build.head(stack, vectors.shape[1])
    _, count = _steps(int((division > 0).sum()), common, params)
    loop.compile_for(head, params, count)
    # One head that starts anew in each fold: compiling takes longer than training.
    head.optimizer.build(head.trainable_variables)
    start = [(variable, variable.numpy()) for variable in (*head.variables, *head.optimizer.variables)]
    for fold in range(division.max() + 1):
        own, others = np.flatnonzero(division == fold), np.flatnonzero(division != fold)
        for variable, value in start:
            variable.assign(value)
        rounds, count = _steps(len(others), common, params)
        weights = class_weights(labels[others], params.class_weights)
        for epoch in range(params.epochs):
            once = range(epoch * rounds, (epoch + 1) * rounds)
            batches = training_batches(vectors[others], labels[others], common.batch_size, common.seed, once)
            head.fit(batches, steps_per_epoch=count, class_weight=weights, shuffle=False, verbose=0)
            found[epoch, own] = _losses(head, asked[own], labels[own])
    # Layers get the names that they would have had without these heads.
    keras.utils.clear_session()
    each = image_weights(labels, params.class_weights)
    return found[np.average(found, axis=1, weights=each).argmin()]


def _steps(images: int, common: CommonParams, params: FeatureExtractionParams) -> tuple[int, int]:
    """How often an epoch goes over so many images, and the steps that it has, as in `loop.train`."""
    rounds = passes(images, common.batch_size, params.epochs, params.min_steps)
    return rounds, rounds * steps(images, common.batch_size)


def _losses(head: keras.Model, vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    probabilities = all_classes(head.predict_on_batch(vectors))
    return -np.log(probabilities[np.arange(len(labels)), labels].astype(np.float64).clip(_FAINTEST))
