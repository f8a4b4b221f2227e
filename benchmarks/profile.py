"""What the time of a network goes into, kind of layer by kind of layer, beside what the processor can do.

    python -m benchmarks.profile --training

The network is that of `scratch` at 180 x 180. Each layer computes alone on one batch, forward or, with `--training`,
forward and its gradients. The peak is the median rate of a large matrix product in the same precision, in the same
process.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks import tables
from benchmarks.options import Batch, Size
from stages.lib.core.params import Precision
from stages.lib.networks.startup import start_tensorflow

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
PRECISIONS: tuple[Precision, ...] = ("float32", "mixed_bfloat16")
SIDE = 4096  # rows and columns of the matrix product


def network(size: int, precision: Precision) -> "keras.Model":
    """The convnet of `scratch`."""
    from stages.lib.networks import build
    from stages.lib.networks.precision import policy

    with policy(precision):
        return build.convnet(size, "rgb", [32, 64, 128, 256, 512], True, 0.25, 2)


def kind_and_operations(layer: "keras.layers.Layer") -> tuple[str, float]:
    """What the layer is, and the additions and multiplications that it needs for one image, forward."""
    from keras import layers

    if isinstance(layer, layers.Dense):
        return "dense", 2.0 * layer.kernel.shape[0] * layer.kernel.shape[1]
    if not isinstance(layer, layers.Conv2D):
        return "all else", 0.0
    height, width, channels = layer.output.shape[1:]
    area = layer.kernel_size[0] * layer.kernel_size[1]
    return "convolutions", 2.0 * height * width * area * layer.input.shape[-1] * channels


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

    inputs = tf.cast(tf.random.uniform((batch, *layer.input.shape[1:])), layer.input.dtype)

    @tf.function
    def compute() -> "tf.Tensor":
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=training)
        if not training:
            return tf.reshape(outputs, [-1])[0]
        found = tape.gradient(outputs, [inputs, *layer.trainable_variables])
        return tf.add_n([tf.cast(tf.reshape(one, [-1])[0], tf.float32) for one in found if one is not None])

    return seconds_of(lambda: compute().numpy())


@app.command()
def main(
    size: Size = 180,
    batch: Batch = 64,
    training: Annotated[bool, typer.Option("--training", help="Gradients too.")] = False,
) -> None:
    """Profile the network in both precisions."""
    start_tensorflow()
    for precision in PRECISIONS:
        found: dict[str, tuple[float, float]] = {}
        for layer in network(size, precision).layers[1:]:
            kind, operations = kind_and_operations(layer)
            # A gradient costs a convolution for the inputs, and one for the kernel.
            operations, seconds = operations * (3 if training else 1) * batch, seconds_alone(layer, batch, training)
            before = found.get(kind, (0.0, 0.0))
            found[kind] = (before[0] + operations, before[1] + seconds)
        best = peak(precision)
        everything = sum(operations for operations, _ in found.values()), sum(seconds for _, seconds in found.values())
        title = f"{precision}: a matrix product reaches {best / 1e9:.0f} billion operations a second"
        rows = []
        kinds = sorted(found.items(), key=lambda one: -one[1][1])
        for kind, (operations, seconds) in [*kinds, ("together", everything)]:
            rate = operations / seconds
            share = f"{seconds / everything[1]:.0%}"
            rows.append((kind, f"{1e3 * seconds / batch:.2f}", share, f"{rate / 1e9:.0f}", f"{rate / best:.0%}"))
        columns = ["", "ms an image", "share of time", "billion operations a second", "of the peak"]
        tables.show(columns, rows, title, width=110)


if __name__ == "__main__":
    app()
