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
    """How many processors this process may use, which in a container may be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
