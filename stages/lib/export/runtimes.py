"""An exported file run on this machine's processors, as its users run it; and Keras, to compare it with."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from smallset.inference.quiet import quiet
from smallset.inference.runtime import Runtime, processors
from smallset.outputs import all_classes
from stages.lib.bundle.litert import without_colors
from stages.lib.export.asked import FormatName
from stages.lib.export.formats import FORMATS_BY_NAME, INPUT
from stages.lib.inference.forward import compiled

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


def cannot_run(name: FormatName, path: Path, images: np.ndarray) -> str | None:
    """Why what a converter wrote does not run, with one image or with several; None where it does.

    Args:
        name: of the format.
        path: as `formats.convert` wrote it.
        images: float32 (images, height, width, channels) in [0, 255], at least one.
    """
    try:
        with quiet():
            run = load(name, path)
            for count in {1, min(3, len(images))}:
                run(images[:count])
    except Exception as error:  # Runtimes raise exceptions of their own.
        return f"the file that the converter wrote does not run: {without_colors(error)}"
    return None


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


def by_keras(model: keras.Model, batch_size: int) -> Run:
    """What computes the probabilities of images, whole numbers, by Keras; batches are filled up to this many images."""
    compute = compiled(model, batch_size)

    def run(images: np.ndarray) -> np.ndarray:
        return all_classes(compute(images.astype(np.uint8)))

    return run


def by_keras_at_any_size(model: keras.Model) -> Run:
    """The same, compiled for each number of images that comes, so that no time is lost on filling up."""
    sizes: dict[int, Run] = {}

    def run(images: np.ndarray) -> np.ndarray:
        if len(images) not in sizes:
            sizes[len(images)] = by_keras(model, len(images))
        return sizes[len(images)](images)

    return run
