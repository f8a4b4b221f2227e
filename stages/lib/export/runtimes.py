"""An exported file run on this machine's processors, as its users run it."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import tensorflow as tf

from smallset.inference.runtime import Runtime
from stages.lib.export.formats import FORMATS_BY_NAME, INPUT, FormatName

# Takes float32 (images, height, width, channels) in [0, 255]; gives float32 (images, classes).
Run = Callable[[np.ndarray], np.ndarray]


def load(name: FormatName, path: Path) -> Run:
    """What computes the probabilities of images by a file of this format.

    Args:
        name: of the format.
        path: as `formats.convert` wrote it.
    """
    assert name in FORMATS_BY_NAME
    if name == "onnx":
        return _onnx(path)
    if name == "saved_model":
        return _saved_model(path)
    if name == "openvino":
        return _openvino(path)
    return Runtime(path).run


def _onnx(path: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = processors()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(images: np.ndarray) -> np.ndarray:
        return session.run(None, {INPUT: images})[0]

    return run


def _saved_model(path: Path) -> Run:
    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures["serving_default"]

    def run(images: np.ndarray) -> np.ndarray:
        # What is loaded has to live as long as its function.
        assert loaded is not None
        (found,) = serve(**{INPUT: tf.constant(images)}).values()
        return found.numpy()

    return run


def _openvino(path: Path) -> Run:
    openvino = import_module("openvino")
    # Its own choice on some processors is bfloat16, which changes top classes.
    compiled = openvino.Core().compile_model(str(path / "model.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(images: np.ndarray) -> np.ndarray:
        return np.asarray(compiled(images)[0])

    return run


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
