"""Training a few images at a time is training on the batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from stages.lib.networks.build import classifier, loss
from stages.lib.training.chunks import images_at_once, in_chunks, parts

COUNT, BATCH = 22, 10


class Largest(layers.Layer):
    """Remembers the most images that it was given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        self.count.assign(ops.maximum(self.count, ops.shape(inputs)[0]))
        return inputs


def network(classes: int, dropout: float = 0.0) -> keras.Model:
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(Largest()(inputs)))
    x = layers.Dropout(dropout, seed=3)(x)
    return keras.Model(inputs, classifier(classes)(x))


def trained(classes: int, at_once: int | None, dropout: float = 0.0, **options) -> tuple[keras.Model, dict]:
    rng = np.random.default_rng(0)
    images, labels = rng.uniform(0, 1, (COUNT, 8, 8, 3)).astype(np.float32), np.arange(COUNT) % classes
    model = in_chunks(network(classes, dropout), BATCH, at_once)
    model.compile(keras.optimizers.Adam(0.01), loss(classes), metrics=["accuracy"])
    history = model.fit(images, labels, batch_size=BATCH, epochs=3, shuffle=False, verbose=0, **options)
    return model, history.history


@pytest.mark.parametrize("options", [{}, {"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}}])
@pytest.mark.parametrize("at_once", [1, 4, 5, 9])
@pytest.mark.parametrize("classes", [2, 3])
def test_weights_losses_and_accuracies_are_those_of_whole_batches(classes, at_once, options):
    (whole, expected), (model, found) = trained(classes, None, **options), trained(classes, at_once, **options)
    for before, after in zip(whole.trainable_weights, model.trainable_weights, strict=True):
        np.testing.assert_allclose(after, before, atol=1e-5)
    assert found.keys() == expected.keys() == {"loss", "accuracy"}
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5)


def test_no_more_images_are_computed_at_once():
    for at_once, largest in ((None, BATCH), (4, 4), (BATCH, BATCH), (100, BATCH)):
        model, _ = trained(2, at_once)
        assert int(model.layers[1].count) == largest


def test_a_batch_that_is_small_enough_is_trained_on_as_ever():
    model = network(2)
    assert in_chunks(model, BATCH, BATCH) is in_chunks(model, BATCH, None) is model
    assert parts(model) == 1
    assert [parts(in_chunks(model, BATCH, at_once)) for at_once in (9, 5, 4, 1)] == [2, 2, 3, 10]


def test_what_is_left_out_differs_from_chunk_to_chunk():
    model = in_chunks(network(2, dropout=0.5), BATCH, 1)
    state = model.layers[4].seed_generator.state
    model.compile(keras.optimizers.Adam(0.0), loss(2))
    before = int(state[1])
    model.train_on_batch(np.ones((BATCH, 8, 8, 3), np.float32), np.zeros(BATCH, np.int64))
    assert int(state[1]) == before + BATCH


def test_memory_for_a_fixed_number_of_pixels(monkeypatch):
    assert images_at_once(64, "float32") > 64
    for size in (64, 180, 299, 600):
        assert images_at_once(size, "float32") * size**2 <= 400_000
        assert images_at_once(size, "mixed_bfloat16") * size**2 <= 800_000
    assert images_at_once(2048, "float32") == 1
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert images_at_once(180, "float32") is None
