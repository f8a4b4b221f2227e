"""The model of a bundle on this machine's processors: LiteRT.

Measured beside ONNX Runtime by `python -m benchmarks.runtimes`, which also says what either converter cannot do.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from safety.words import first_line
from smallset.errors import UserError

# Microseconds of processor time in a period of so many, as a container with control groups of version 2 sees its own.
_SHARE = Path("/sys/fs/cgroup/cpu.max")


class Runtime:
    """A model in memory; threads may share it, one computes at a time on all processors."""

    def __init__(self, file: Path) -> None:
        """Load a `.tflite` file.

        Raises:
            UserError: it is damaged, or no model of images.
        """
        self._file, self._lock = file, Lock()
        try:
            self._interpreter = Interpreter(model_path=str(file), num_threads=processors())
            (self._input,), (self._output,) = (
                self._interpreter.get_input_details(),
                self._interpreter.get_output_details(),
            )
            self._takes = tuple(self._input["shape_signature"].tolist())  # -1: of any number
        except (ValueError, RuntimeError) as error:
            raise UserError(f"{file}: cannot be loaded as a model of images: {first_line(error)}") from None
        self._shape: tuple[int, ...] | None = None

    def run(self, images: np.ndarray) -> np.ndarray:
        """Compute the model's outputs.

        Args:
            images: (images, height, width, channels) in [0, 255].

        Returns:
            float32 (images, outputs).

        Raises:
            UserError: it does not take images of this shape.
        """
        with self._lock, self._explained(images.shape):
            # LiteRT computes some number of any size that a network lets through.
            if any(taken not in (-1, size) for taken, size in zip(self._takes[1:], images.shape[1:], strict=True)):
                raise ValueError(f"the model takes {self._takes}")
            if images.shape != self._shape:
                self._shape = None  # where there is no memory for so many, the next images begin anew
                self._interpreter.resize_tensor_input(self._input["index"], images.shape)
                self._interpreter.allocate_tensors()
                self._shape = images.shape
            self._interpreter.set_tensor(self._input["index"], images.astype(np.float32))
            self._interpreter.invoke()
            outputs: np.ndarray = self._interpreter.get_tensor(self._output["index"])
            return outputs

    @contextmanager
    def _explained(self, shape: tuple[int, ...]) -> Iterator[None]:
        try:
            yield
        except (ValueError, RuntimeError) as error:
            raise UserError(f"{self._file}: cannot compute images {shape}: {first_line(error)}") from None


def processors() -> int:
    """How many processors this process may use.

    Fewer than there are where it is bound to some of them, or where a container has a share of their time: more threads
    would wait for each other.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = _SHARE.read_text(encoding="ascii").split()
        return min(bound, max(1, -(-int(quota) // int(period))))
    except (OSError, ValueError, ZeroDivisionError):  # there is no such file, or it says "max"
        return bound
