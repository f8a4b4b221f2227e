"""A small backbone that learns to tell drawn animals apart."""

import keras
import keras_hub
import numpy as np
import tensorflow as tf
from keras import layers

from stages.lib.core.params import AugmentationParams
from stages.lib.training.batches import steps, training_batches

# Images in [0, 255] to [-1, 1].
SCALE, OFFSET = 1 / 127.5, -1.0
_VARIATION = AugmentationParams(flip=True, rotation=0.05, zoom=0.2)
_WARM_UP = 0.1  # share of the training in which the learning rate rises


def small_backbone() -> keras_hub.models.ResNetBackbone:
    """A residual network of 0.7 million parameters: (batch, height, width, 3) to (batch, height/16, width/16, 192)."""
    return keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 96, 192],
        stackwise_num_blocks=[1, 1, 1],
        stackwise_num_strides=[1, 2, 2],
        block_type="basic_block",
        image_shape=(None, None, 3),
        name="backbone",
    )


def pretrain(
    images: np.ndarray, labels: np.ndarray, epochs: int, learning_rate: float, batch_size: int, seed: int
) -> keras_hub.models.Backbone:
    """Train a small backbone below a classifier, which is thrown away.

    Args:
        images: uint8 (count, height, width, 3) in [0, 255].
        labels: int64 (count,), from 0.
        epochs: passes over all images.
        learning_rate: the highest; it rises from 0 and falls back to it.
        batch_size: images per training step.
        seed: of the weights, the order and the variants.

    Returns:
        The trained backbone, without the classifier.
    """
    keras.utils.set_random_seed(seed)
    backbone = small_backbone()
    inputs = keras.Input(images.shape[1:], name="images")
    x = layers.GlobalAveragePooling2D()(backbone(layers.Rescaling(SCALE, OFFSET)(inputs)))
    outputs = layers.Dense(int(labels.max()) + 1, activation="softmax")(layers.Dropout(0.2)(x))
    model = keras.Model(inputs, outputs)
    per_epoch = steps(len(images), batch_size)
    warm_up = int(per_epoch * epochs * _WARM_UP)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, per_epoch * epochs - warm_up, warmup_target=learning_rate, warmup_steps=warm_up
    )
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=0.01),
        keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
        # XLA makes training several times slower on a processor.
        jit_compile=bool(tf.config.list_physical_devices("GPU")),
    )
    batches = training_batches(images, labels, batch_size, seed, range(epochs), _VARIATION)
    model.fit(batches, steps_per_epoch=per_epoch, epochs=epochs, shuffle=False, verbose=0, callbacks=[_Lines(epochs)])
    return backbone


class _Lines(keras.callbacks.Callback):
    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        figures = ", ".join(f"{name} {(logs or {})[name]:.4f}" for name in ("loss", "accuracy"))
        print(f"epoch {epoch + 1:3}/{self.epochs}  {figures}", flush=True)
