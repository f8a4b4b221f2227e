"""What the converter to ONNX does not know or does wrong: operators in terms of those of ONNX, and a joining less."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf
from tf2onnx.handler import tf_op
from tf2onnx.optimizer import back_to_back_optimizer

# It joins a Reshape with the next, although one that keeps a dimension (0) means that of what lies between: attention
# as that of MiT came out with another shape, or as other numbers.
getattr(back_to_back_optimizer, "_func_map", {}).pop(("Reshape",), None)


@tf_op("Erfc")
class Erfc:
    """What GELU is computed with: 1 - erf(x)."""

    @classmethod
    def version_9(cls, graph: Any, node: Any, **_: Any) -> None:
        """Replace a node; the name says since which version ONNX has what is used, as tf2onnx reads it."""
        dtype, shape = graph.get_dtype(node.output[0]), graph.get_shape(node.output[0])
        one = graph.make_const(f"{node.name}_one", np.ones((), np.float32))
        erf = graph.make_node("Erf", node.input, dtypes=[dtype], shapes=[shape])
        graph.remove_node(node.name)
        inputs = [one.output[0], erf.output[0]]
        graph.make_node("Sub", inputs, name=node.name, outputs=node.output, dtypes=[dtype], shapes=[shape])


@contextmanager
def plain_convolutions() -> Iterator[None]:
    """Trace grouped convolutions as such: Keras puts each into a function, which the converter does not look into."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)
