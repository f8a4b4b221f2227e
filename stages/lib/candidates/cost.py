"""What a network costs: counted, so that a choice does not depend on what else the machine does; and measured."""

import math
import time
from collections.abc import Callable
from statistics import median

import keras
import numpy as np
import tensorflow as tf

_WARM_UP, _MEASURED = 1, 5  # batches


def multiply_adds(model: keras.Model) -> int:
    """Multiplications of the convolutions and matrix products that one image takes.

    Counted in the graph that TensorFlow runs, so layers of every kind count, whatever calls them.

    Args:
        model: takes images float32 (batch, height, width, channels) of one size.
    """
    images = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    graph = tf.function(lambda inputs: model(inputs, training=False)).get_concrete_function(images).graph
    return sum(_multiplications(operation) for operation in _operations(graph))


def milliseconds(forward: Callable[[np.ndarray], object], images: np.ndarray) -> float:
    """Time that one image takes on this machine now: the median of a few batches.

    Args:
        forward: computes a batch.
        images: uint8 (batch, height, width, channels).
    """
    seconds = []
    for _ in range(_WARM_UP + _MEASURED):
        start = time.perf_counter()
        np.asarray(forward(images))
        seconds.append(time.perf_counter() - start)
    return 1000 * median(seconds[_WARM_UP:]) / len(images)


def _operations(graph: tf.Graph) -> list[tf.Operation]:
    """Those of the graph and of the functions that it calls, each once."""
    inner = [function.graph for function in graph._functions.values() if hasattr(function, "graph")]
    return [*graph.get_operations(), *(one for found in inner for one in _operations(found))]


def _multiplications(operation: tf.Operation) -> int:
    kind = operation.type
    if kind not in {"Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMul", "BatchMatMulV2", "Einsum"}:
        return 0
    shapes = [tensor.shape.as_list() for tensor in operation.inputs]
    made = math.prod(operation.outputs[0].shape.as_list())
    if kind == "Conv2D":
        return made * math.prod(shapes[1][:3])
    if kind == "DepthwiseConv2dNative":
        return made * math.prod(shapes[1][:2])
    if kind == "Einsum":
        terms = operation.get_attr("equation").decode().split("->")[0].split(",")
        sizes = {
            letter: size
            for term, shape in zip(terms, shapes, strict=True)
            for letter, size in zip(term, shape, strict=True)
        }
        return math.prod(sizes.values())
    turned = operation.get_attr("transpose_a" if kind == "MatMul" else "adj_x")
    return made * shapes[0][-2 if turned else -1]
