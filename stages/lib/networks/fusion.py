"""Batch normalisation that does not train, computed as part of the convolution before it.

Frozen, `gamma * (conv(x, kernel) - mean) / sqrt(variance + epsilon) + beta` is a convolution with the kernel
`kernel * scale`, and a shift (Jacob et al. 2018, section 3.2). That spares two passes over every feature map. The
kernel itself stays as it is and can train. Whether the outputs are those of the layers is tried on real images.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from stages.lib.core.errors import UserError
from stages.lib.networks.lora import kernel_of
from stages.lib.networks.precision import rebuilt

Forward = Callable[[np.ndarray], tf.Tensor]

COMPARED = 8  # images
# Share of the outputs' root mean square by which rounding may change them. In float32 it changes them by 2e-6 (a GPU
# rounds factors to 10 bits); in bfloat16 by 0.06 in MobileNetV2, where the same network in float32 tells the rest.
_ROUNDING, _ROUNDING_10_BITS, _ROUNDING_8_BITS = 1e-3, 2e-2, 0.3
_CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)


def faithful(model: keras.Model, images: np.ndarray) -> tuple[keras.Model, Forward]:
    """The view of a model that `fuse` gives, and its compiled pass, where these give what the layers are to give.

    What they are to give, the model says layer by layer: then TensorFlow rewrites nothing. Compiled, it joins what
    follows a convolution, and not always rightly: 2.21 drops the slope of a LeakyReLU after a bias and a sum. Where
    the outputs are others, a line is printed, nothing is folded, and TensorFlow is told to join nothing.

    Args:
        model: built; stays as it is.
        images: uint8 (count, height, width, channels) in [0, 255]; the first few are compared.

    Returns:
        The view, and a function of as many images that gives its outputs without training.

    Raises:
        UserError: even so, the outputs are not those of the layers.
    """
    view = fuse(model)
    forward = forward_pass(view, len(images))
    if _rounds_only(model, forward, images) and (_in_float32(model) or _folds_in_float32(model, images)):
        return view, forward
    print(
        f"{model.name}: computed together, layers give other outputs than one by one; so they are computed one by one, "
        "which is slower",
        flush=True,
    )
    tf.config.optimizer.set_experimental_options({"remapping": False})
    view = fuse(model, fold=False)
    forward = forward_pass(view, len(images))
    if not _rounds_only(model, forward, images):
        raise UserError(
            "backbone.preset: expected a network that gives the same outputs compiled and layer by layer, which this "
            f"one does not ({', '.join(layer.name for layer in model.layers)}): use another preset"
        )
    return view, forward


def _rounds_only(model: keras.Model, forward: Forward, images: np.ndarray) -> bool:
    expected = model(tf.cast(images[:COMPARED], tf.float32), training=False).numpy().astype(np.float32)
    try:
        found = forward(images)[:COMPARED].numpy().astype(np.float32)
    except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError):  # TensorFlow joined what it cannot compute.
        return False
    gpu = bool(tf.config.list_physical_devices("GPU"))
    tolerance = (_ROUNDING_10_BITS if gpu else _ROUNDING) if _in_float32(model) else _ROUNDING_8_BITS
    # Not a number where the layers give none either: there is nothing to compare, and training says so.
    difference = np.nan_to_num(found - expected, nan=0.0 if np.isnan(expected).any() else np.inf)
    return bool(np.sqrt(np.mean(difference**2)) <= tolerance * np.sqrt(np.mean(np.nan_to_num(expected) ** 2)))


def _in_float32(model: keras.Model) -> bool:
    return all(layer.compute_dtype == "float32" for layer in model._flatten_layers())


def _folds_in_float32(model: keras.Model, images: np.ndarray) -> bool:
    exact = rebuilt(model, "float32")
    return _rounds_only(exact, forward_pass(fuse(exact), len(images)), images)


def forward_pass(model: keras.Model, batch_size: int) -> Forward:
    """A model as it is, without training, as one compiled function of images uint8 (batch_size, ...)."""

    # One shape for all batches, so that the pass is compiled once.
    @tf.function(input_signature=[tf.TensorSpec((batch_size, *model.input_shape[1:]), tf.uint8)])
    def forward(images: tf.Tensor) -> tf.Tensor:
        return model(tf.cast(images, tf.float32), training=False)

    return forward


def fuse(model: keras.Model, fold: bool = True) -> keras.Model:
    """A view of a model, on the same weights, that computes the same outputs faster.

    For inference, or for training while no batch normalisation trains. A model inside that is frozen computes as in
    inference also while the view trains: without dropout and stochastic depth. What is not understood stays as it is:
    other layers, what lies inside a layer that is no functional model, a whole model that is none.

    Args:
        model: built; stays as it is.
        fold: False only does what concerns frozen models.
    """
    if not isinstance(model, keras.Function):
        return model
    convolved: dict[int, tuple[layers.Layer, keras.KerasTensor, keras.KerasTensor]] = {}
    # A layer that the model uses twice is replaced by one layer that is used twice.
    replaced: dict[tuple[layers.Layer, ...], layers.Layer] = {}

    def call(layer: layers.Layer, *args: Any, **kwargs: Any) -> Any:
        convolution, before, _ = convolved.get(id(args[0]), (None, None, None)) if args else (None, None, None)
        if convolution is not None and _fits(convolution, layer):
            pair = (convolution, layer)
            replaced[pair] = replaced.get(pair) or FusedConvolution(convolution, layer)
            return replaced[pair](before)
        if isinstance(layer, keras.Function):
            replaced[layer,] = replaced.get((layer,)) or _inner(layer, fold)
            layer = replaced[layer,]
        outputs = layer(*args, **kwargs)
        if fold and type(layer) in _CONVOLUTIONS:
            # The plain convolution remains for whatever else takes its output; without that, it is not in the view.
            convolved[id(outputs)] = (layer, args[0], outputs)
        return outputs

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def _inner(model: keras.Model, fold: bool) -> keras.Model:
    view = fuse(model, fold)
    return view if model.trainable_weights else _Frozen(view.input, view.output, name=view.name)


class _Frozen(keras.Model):
    """A functional model that never trains: Keras would hand `training=True` on to its dropout."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        return super().call(inputs, training=False, mask=mask)


def _fits(convolution: layers.Layer, layer: layers.Layer) -> bool:
    return (
        isinstance(layer, layers.BatchNormalization)
        and layer.axis in (-1, 3)
        and convolution.data_format == "channels_last"
        and convolution.activation is keras.activations.linear
    )


class FusedConvolution(layers.Layer):
    """A convolution and the batch normalisation after it, computed together on the weights of the two."""

    def __init__(self, convolution: layers.Layer, normalisation: layers.BatchNormalization) -> None:
        """Take two layers that are built."""
        # In float32, so that only the finished kernel is rounded to the precision of the convolution.
        super().__init__(name=f"{convolution.name}_{normalisation.name}", dtype="float32", autocast=False)
        self.convolution, self.normalisation = convolution, normalisation
        self.built = True

    def call(self, inputs: keras.KerasTensor, training: bool | None = None) -> keras.KerasTensor:
        """Convolve with the scaled kernel, and shift."""
        conv, norm = self.convolution, self.normalisation
        scale = ops.rsqrt(norm.moving_variance + norm.epsilon)
        scale = scale * norm.gamma if norm.scale else scale
        shift = (norm.moving_mean - conv.bias if conv.use_bias else norm.moving_mean) * scale
        shift = shift - norm.beta if norm.center else shift
        depthwise = isinstance(conv, layers.DepthwiseConv2D)
        # oneDNN has no fast gradient of a strided depthwise convolution in bfloat16: ten times slower than in float32.
        slow = depthwise and max(conv.strides) > 1 and training and conv.trainable
        dtype = "float32" if slow else conv.compute_dtype
        separable = isinstance(conv, layers.SeparableConv2D)
        kernel = conv.pointwise_kernel if separable else kernel_of(conv)
        # (height, width, channels in, channels out); of a depthwise one (height, width, channels, multiplier)
        kernel = kernel * ops.reshape(scale, kernel.shape[2:] if depthwise else (-1,))
        kernels = [conv.depthwise_kernel, kernel] if separable else [kernel]
        convolve = ops.separable_conv if separable else ops.depthwise_conv if depthwise else ops.conv
        outputs = convolve(
            ops.cast(inputs, dtype),
            *(ops.cast(one, dtype) for one in kernels),
            strides=conv.strides,
            padding=conv.padding,
            data_format=conv.data_format,
            dilation_rate=conv.dilation_rate,
        )
        # Subtracted: a sum would be the bias that TensorFlow joins with what follows, at times wrongly (`faithful`).
        outputs = ops.subtract(outputs, ops.reshape(ops.cast(shift, dtype), (1, 1, 1, -1)))
        return ops.cast(outputs, conv.compute_dtype)
