"""Batch normalisation that does not train, computed as part of the convolution before it.

Frozen, `gamma * (conv(x, kernel) - mean) / sqrt(variance + epsilon) + beta` is a convolution with the kernel
`kernel * scale`, and a bias (Jacob et al. 2018, section 3.2). That spares two passes over every feature map, and
TensorFlow computes bias and activation together with the convolution. The kernel itself stays as it is and can train.
"""

from typing import Any

import keras
from keras import layers, ops

_CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)


def fuse(model: keras.Model) -> keras.Model:
    """A view of a model, on the same weights, that computes the same outputs faster.

    For inference, or for training while no batch normalisation trains. What is not understood stays as it is: other
    layers, what lies inside a layer that is no functional model, a whole model that is none.
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
            replaced[layer,] = replaced.get((layer,)) or fuse(layer)
            layer = replaced[layer,]
        outputs = layer(*args, **kwargs)
        if type(layer) in _CONVOLUTIONS:
            # The plain convolution remains for whatever else takes its output; without that, it is not in the view.
            convolved[id(outputs)] = (layer, args[0], outputs)
        return outputs

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


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
        """Convolve with the scaled kernel, and add the bias."""
        conv, norm = self.convolution, self.normalisation
        scale = ops.rsqrt(norm.moving_variance + norm.epsilon)
        scale = scale * norm.gamma if norm.scale else scale
        bias = (conv.bias - norm.moving_mean if conv.use_bias else -norm.moving_mean) * scale
        bias = bias + norm.beta if norm.center else bias
        depthwise = isinstance(conv, layers.DepthwiseConv2D)
        # oneDNN has no fast gradient of a strided depthwise convolution in bfloat16: ten times slower than in float32.
        slow = depthwise and max(conv.strides) > 1 and training and conv.trainable
        dtype = "float32" if slow else conv.compute_dtype
        separable = isinstance(conv, layers.SeparableConv2D)
        kernel = conv.pointwise_kernel if separable else conv.kernel
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
        outputs = ops.add(outputs, ops.reshape(ops.cast(bias, dtype), (1, 1, 1, -1)))
        return ops.cast(outputs, conv.compute_dtype)
