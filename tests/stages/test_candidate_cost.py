"""What a network costs: every multiplication of its convolutions and matrix products counts once."""

import keras
import numpy as np
from keras import layers

from stages.lib.candidates.cost import milliseconds, multiply_adds


def test_convolutions_of_every_kind_count() -> None:
    images = keras.Input((16, 16, 3))
    x = layers.Conv2D(8, 3)(images)
    x = layers.DepthwiseConv2D(3)(x)
    x = layers.Conv2D(16, 3, groups=4)(x)
    outputs = layers.Dense(5)(layers.GlobalAveragePooling2D()(x))
    whole = 14 * 14 * 8 * 27 + 12 * 12 * 8 * 9 + 10 * 10 * 16 * 9 * 2 + 16 * 5
    assert multiply_adds(keras.Model(images, outputs)) == whole


def test_attention_counts() -> None:
    images = keras.Input((16, 16, 3))
    tokens = layers.Reshape((16, 32))(layers.Conv2D(32, 4, 4)(images))
    model = keras.Model(images, layers.MultiHeadAttention(4, 8)(tokens, tokens))
    # The patches; queries, keys, values and what they become; two products of all pairs of tokens.
    assert multiply_adds(model) == 16 * 32 * 48 + 4 * 16 * 32 * 32 + 2 * 16 * 16 * 32


def test_a_network_at_twice_the_size_costs_four_times_as_much() -> None:
    def network(size: int) -> keras.Model:
        images = keras.Input((size, size, 3))
        return keras.Model(images, layers.Conv2D(8, 3, padding="same")(images))

    assert multiply_adds(network(32)) == 4 * multiply_adds(network(16))


def test_time_is_per_image() -> None:
    assert 0 < milliseconds(lambda images: images, np.zeros((4, 2, 2, 3), np.uint8)) < 100
