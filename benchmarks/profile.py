"""What the time of a network goes into, kind of layer by kind of layer, beside what the processor can do.

    python -m benchmarks.profile convnet --training
    python -m benchmarks.profile models/backbone
    python -m benchmarks.profile xception --batch 16

`convnet` is the network of `scratch`, models/backbone a preset directory, `xception` the architecture of Xception-41.
Each layer computes alone on one batch, forward or, with `--training`, forward and its gradients. The peak is the best
rate of a large matrix product in the same precision, in the same process.
"""

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import backbones
from stages.lib.params import Precision
from stages.lib.startup import start_tensorflow

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
PRECISIONS: tuple[Precision, ...] = ("float32", "mixed_bfloat16")
SIDE = 4096  # rows and columns of the matrix product


def network(what: str, size: int, precision: Precision) -> "keras.Model":
    """The convnet, or the backbone as `features` runs it."""
    from stages.lib import networks
    from stages.lib.fusion import fuse
    from stages.lib.precision import policy

    if what == "convnet":
        with policy(precision):
            return networks.convnet(size, "rgb", [32, 64, 128, 256, 512], True, 0.25, 2)
    with backbones.directory(what) as preset:
        return fuse(networks.feature_extractor(preset, size, precision))


def leaves(model: "keras.Model") -> Iterator["keras.layers.Layer"]:
    """The layers that compute, those of models inside the model too."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def kind_and_operations(layer: "keras.layers.Layer") -> tuple[str, float]:
    """What the layer is, and the additions and multiplications that it needs for one picture, forward."""
    from keras import layers

    inner = getattr(layer, "convolution", layer)
    if isinstance(inner, layers.Dense):
        return "dense", 2.0 * inner.kernel.shape[0] * inner.kernel.shape[1]
    if not isinstance(inner, layers.Conv2D | layers.DepthwiseConv2D | layers.SeparableConv2D):
        return "all else", 0.0
    height, width, channels = layer.output.shape[1:]
    positions, area = 2.0 * height * width, inner.kernel_size[0] * inner.kernel_size[1]
    if isinstance(inner, layers.DepthwiseConv2D):
        return "depthwise convolutions", positions * area * channels
    before = layer.input.shape[-1]
    if isinstance(inner, layers.SeparableConv2D):
        return "separable convolutions", positions * before * (area + channels)
    return f"convolutions {inner.kernel_size[0]} x {inner.kernel_size[1]}", positions * area * before * channels


def seconds_of(compute: Callable[[], Any], repeats: int = 5) -> float:
    """Median seconds of several calls, after two that are not counted."""
    times = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        compute()
        times.append(time.perf_counter() - start)
    return median(times[2:])


def peak(precision: Precision) -> float:
    """Operations a second of a matrix product."""
    import tensorflow as tf

    dtype = tf.bfloat16 if precision == "mixed_bfloat16" else tf.float32
    matrix = tf.cast(tf.random.normal((SIDE, SIDE)), dtype)

    @tf.function
    def product() -> tf.Tensor:
        return tf.linalg.matmul(matrix, matrix)[0, 0]

    return 2.0 * SIDE**3 / seconds_of(lambda: product().numpy())


def seconds_alone(layer: "keras.layers.Layer", batch: int, training: bool) -> float:
    """Seconds of one batch through one layer; with `training` those of its gradients too."""
    import tensorflow as tf

    given = layer.input if isinstance(layer.input, list) else [layer.input]
    inputs = [tf.cast(tf.random.uniform((batch, *one.shape[1:])), one.dtype) for one in given]

    @tf.function
    def compute() -> "tf.Tensor":
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs if isinstance(layer.input, list) else inputs[0], training=training)
        if not training:
            return tf.reshape(outputs, [-1])[0]
        found = tape.gradient(outputs, [*inputs, *layer.trainable_variables])
        return tf.add_n([tf.cast(tf.reshape(one, [-1])[0], tf.float32) for one in found if one is not None])

    return seconds_of(lambda: compute().numpy())


@app.command()
def main(
    what: str,
    size: Annotated[int, typer.Option(min=32, help="Pixels.")] = 180,
    batch: Annotated[int, typer.Option(min=1)] = 64,
    training: Annotated[bool, typer.Option("--training", help="Gradients too.")] = False,
) -> None:
    """Profile a network in both precisions."""
    start_tensorflow()
    for precision in PRECISIONS:
        found: dict[str, tuple[float, float]] = {}
        for layer in leaves(network(what, size, precision)):
            kind, operations = kind_and_operations(layer)
            # A gradient costs a convolution for the inputs, and one for the kernel.
            operations, seconds = operations * (3 if training else 1) * batch, seconds_alone(layer, batch, training)
            before = found.get(kind, (0.0, 0.0))
            found[kind] = (before[0] + operations, before[1] + seconds)
        best = peak(precision)
        everything = sum(operations for operations, _ in found.values()), sum(seconds for _, seconds in found.values())
        title = f"{what}, {precision}: a matrix product reaches {best / 1e9:.0f} billion operations a second"
        table = Table(title=title, title_justify="left", box=None, header_style="dim", pad_edge=False)
        for column in ("", "ms a picture", "share of time", "billion operations a second", "of the peak"):
            table.add_column(column, justify="right" if column else "left")
        kinds = sorted(found.items(), key=lambda one: -one[1][1])
        for kind, (operations, seconds) in [*kinds, ("together", everything)]:
            rate = operations / seconds
            share = f"{seconds / everything[1]:.0%}"
            table.add_row(kind, f"{1e3 * seconds / batch:.2f}", share, f"{rate / 1e9:.0f}", f"{rate / best:.0%}")
        Console(width=max(Console().width, 110)).print(table)


if __name__ == "__main__":
    app()
